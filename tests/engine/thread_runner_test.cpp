// The pool of threads that runs activities: what stands in its line when it is cancelled or stopped.
#include "engine/runtime/thread_runner.hpp"

#include "tests/support/temporary_directory.hpp"
#include "tests/support/test_options.hpp"

#include <bobbin/engine.hpp>
#include <bobbin/lmdb.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <mutex>
#include <set>
#include <string>

using namespace bobbin;
using namespace bobbin::testing;
using namespace std::chrono_literals;

namespace {

using Text = std::string;

// One thread, which is held by its first task until it is let go.
class HeldRunner {
 public:
  HeldRunner() {
    registry_.activity("hold", [this](const ActivityContext&, const Text&) {
      begun_.set_value();
      release_.get_future().wait();
      return Text("held");
    });
    registry_.activity("do", [this](const ActivityContext&, const Text& input) {
      ++done_;
      return input;
    });
    runner.emplace(registry_, 1);
    runner->run(task("hold", [this](const ActivityOutcome&) { held_.set_value(); }));
    begun_.get_future().wait();
  }

  static ActivityTask task(const Text& name, std::function<void(ActivityOutcome)> done, CancellationToken token = {}) {
    ActivityTask task;
    task.name = name;
    task.input = encode(name);
    task.context.cancellation = std::move(token);
    task.done = std::move(done);
    return task;
  }
  void let_go() {
    release_.set_value();
    held_.get_future().wait();
  }
  int done() const { return done_; }

 private:
  Registry registry_;
  std::promise<void> begun_, release_, held_;
  std::atomic<int> done_ = 0;

 public:
  std::optional<ThreadRunner> runner;
};

}  // namespace

TEST_CASE("S21: an activity that is cancelled while it stands in line does not begin, and ends as cancelled") {
  HeldRunner held;
  CancellationToken token;
  std::promise<ActivityOutcome> cancelled, other;
  held.runner->run(HeldRunner::task(
      "do", [&](ActivityOutcome outcome) { cancelled.set_value(std::move(outcome)); }, token));
  held.runner->run(HeldRunner::task("do", [&](ActivityOutcome outcome) { other.set_value(std::move(outcome)); }));
  token.cancel();
  held.let_go();
  CHECK(cancelled.get_future().get().error.code == ErrorCode::cancelled);
  CHECK(!other.get_future().get().error);
  CHECK(held.done() == 1);
}

TEST_CASE("S27: what stands in line when the runner stops is let go: it neither begins nor ends") {
  HeldRunner held;
  std::atomic<int> ended = 0;
  const auto in_line = [&] { return HeldRunner::task("do", [&](const ActivityOutcome&) { ++ended; }); };
  for (int i = 0; i < 3; ++i) held.runner->run(in_line());
  CHECK(!held.runner->stop(0s));  // the one that runs goes on
  held.runner->run(in_line());
  held.let_go();
  CHECK(held.runner->stop(1h));
  held.runner.reset();  // joins
  CHECK(ended == 0);
  CHECK(held.done() == 0);
}

TEST_CASE("S22, S27: activities in line when the engine closes run after the next open, each recorded once") {
  const TemporaryDirectory directory;
  std::promise<void> began, released;
  const auto release = released.get_future().share();
  std::atomic<bool> first = true;
  std::mutex mutex;
  std::multiset<Text> ran;
  const auto code = [&] {
    Registry registry;
    registry.orchestrator("it", [](Context& ctx, const Text& input) { return ctx.call_activity<Text>("do", input); });
    registry.activity("do", [&](const ActivityContext&, const Text& input) {
      if (first.exchange(false)) {
        began.set_value();
        release.wait();
      }
      const std::lock_guard lock(mutex);
      ran.insert(input);
      return input;
    });
    return registry;
  };
  auto options = with_test_defaults();
  options.activity_threads = 1;
  const auto key = [](int i) { return InstanceName{"it", std::to_string(i)}; };
  constexpr int runs = 5;
  {
    Engine engine(open_lmdb(directory.path()), code(), options);
    for (int i = 0; i < runs; ++i) engine.start(key(i), std::to_string(i));
    began.get_future().wait();
    while (engine.stats().activities_running < runs) std::this_thread::yield();  // one runs, the others stand in line
    engine.close(0s);
    released.set_value();
  }
  {
    const std::lock_guard lock(mutex);
    CHECK(ran.size() == 1);
  }
  Engine engine(open_lmdb(directory.path()), code(), options);
  for (int i = 0; i < runs; ++i) CHECK(decode<Text>(engine.wait(key(i)).result) == std::to_string(i));
  const std::lock_guard lock(mutex);
  CHECK(ran.size() == runs + 1);  // the one that was cut once more
}
