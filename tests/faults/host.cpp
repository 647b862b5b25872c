// A host with long activities, told by its standard input when each of them ends; for a test in another process.
//   in:  start KEY | ok KEY | fail KEY | failures KEY
//   out: open | accepted KEY | attempt KEY NUMBER IDEMPOTENCY-KEY | failures KEY COUNT | ended KEY STATUS
#include <bobbin/engine.hpp>
#include <bobbin/lmdb.hpp>

#include <condition_variable>
#include <cstdio>
#include <iostream>
#include <map>
#include <mutex>
#include <sstream>

using namespace bobbin;

namespace {

using Text = std::string;

class Conversation {
 public:
  void say(const Text& line) {
    const std::lock_guard lock(mutex_);
    std::cout << line << std::endl;
  }
  void decide(const Text& key, bool ok) {
    const std::lock_guard lock(mutex_);
    decided_[key] = ok;
    changed_.notify_all();
  }
  bool wait_for_decision(const Text& key) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return decided_.contains(key); });
    const bool ok = decided_[key];
    decided_.erase(key);
    return ok;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<Text, bool> decided_;
};

Registry registry_of(Conversation& conversation, Duration first_delay) {
  Registry registry;
  registry.orchestrator("call", [first_delay](Context& ctx, const Text& key) {
    ActivityOptions options;
    options.retry.max_attempts = 2;
    options.retry.first_delay = first_delay;
    options.retry.jitter = 0;
    return ctx.call_activity<Text>("work", key, options);
  });
  registry.activity("work", [&conversation](const ActivityContext& context, const Text& key) {
    conversation.say("attempt " + key + " " + std::to_string(context.attempt) + " " + context.idempotency_key);
    if (!conversation.wait_for_decision(key)) throw ApplicationError("Told", "to fail");
    return key;
  });
  return registry;
}

void watch(Engine& engine, Conversation& conversation, const Text& key) {
  engine.wait({"call", key}, [&conversation, key](const Result<InstanceStatus>& result) {
    if (result) conversation.say("ended " + key + " " + to_string(result.value.state.status));
  });
}

void obey(Engine& engine, Conversation& conversation, const Text& act, const Text& key) {
  const InstanceName name{"call", key};
  if (act == "start") {
    engine.start(name, key, {.dedup_id = key});
    conversation.say("accepted " + key);
    watch(engine, conversation, key);
  } else if (act == "failures") {
    const auto state = engine.status(name).state;
    const auto failures = state.activities.empty() ? 0 : state.activities.front().failures;
    conversation.say("failures " + key + " " + std::to_string(failures));
  } else {
    conversation.decide(key, act == "ok");
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: faults-host DIRECTORY FIRST-RETRY-DELAY-MS\n");
    return 2;
  }
  Conversation conversation;
  EngineOptions options;
  options.activity_threads = 8;
  Engine engine(open_lmdb(argv[1]), registry_of(conversation, std::chrono::milliseconds(std::stol(argv[2]))), options);
  for (const auto& state : engine.list({})) watch(engine, conversation, state.name.key);
  conversation.say("open");
  for (Text line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    Text act, key;
    words >> act >> key;
    obey(engine, conversation, act, key);
  }
  return 0;
}
