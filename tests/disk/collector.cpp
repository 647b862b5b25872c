#include "tests/disk/collector.hpp"

#include <bobbin/fields.hpp>

#include <algorithm>
#include <chrono>

namespace bobbin::tests {

using namespace std::chrono_literals;

namespace {

constexpr auto patience = 120s;
constexpr int keys = 40;
constexpr std::size_t padding = 1'500;

std::string joined(const std::vector<std::string>& names) {
  std::string all;
  for (const auto& name : names) all += name + " ";
  return all;
}

std::vector<std::string> split(const std::string& all) {
  std::vector<std::string> names;
  for (std::size_t from = 0, to = 0; (to = all.find(' ', from)) != std::string::npos; from = to + 1)
    names.push_back(all.substr(from, to - from));
  return names;
}

std::string collect(Context& ctx, const std::string&) {
  auto closes = ctx.create_timer(200ms);
  std::vector<std::string> names;
  while (const auto event = ctx.wait_for_event<std::string>("e", closes))
    names.push_back(event->value.substr(0, event->value.find(' ')));
  return ctx.call_activity<std::string>("deliver", joined(names));
}

}  // namespace

void Deliveries::add(const std::string& key, const std::vector<std::string>& names) {
  {
    const std::lock_guard lock(mutex_);
    if (!keys_.insert(key).second) return;
    for (const auto& name : names) doubled_ |= !names_.insert(name).second;
  }
  changed_.notify_all();
}

bool Deliveries::wait_for(const std::set<std::string>& names) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, patience,
                           [&] { return std::includes(names_.begin(), names_.end(), names.begin(), names.end()); });
}

bool Deliveries::doubled() const {
  const std::lock_guard lock(mutex_);
  return doubled_;
}

Registry collecting(std::function<void(const std::string& key, const std::vector<std::string>&)> deliver) {
  Registry registry;
  registry.orchestrator("collect", collect);
  registry.activity("deliver", [deliver = std::move(deliver)](const ActivityContext& ctx, const std::string& names) {
    deliver(ctx.idempotency_key, split(names));
    return std::string();
  });
  return registry;
}

Accepted send(Engine& engine, const std::string& name) {
  const auto key = std::to_string(std::hash<std::string>()(name) % keys);
  return engine.raise_event_with_start({"collect", key}, std::string(), "e", name + " " + std::string(padding, '.'),
                                       {.dedup_id = name});
}

Senders::Senders(Engine& engine, std::string prefix, int threads) : engine_(engine), prefix_(std::move(prefix)) {
  for (int thread = 0; thread < threads; ++thread) threads_.emplace_back([this, thread] { run(thread); });
}

Senders::~Senders() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  for (auto& thread : threads_) thread.join();
}

void Senders::run(int thread) {
  for (std::uint64_t number = 0;;) {
    const auto name = prefix_ + "-" + std::to_string(thread) + "-" + std::to_string(number);
    bool refused = false;
    std::string error;
    try {
      send(engine_, name);
    } catch (const StorageFull&) {
      refused = true;
    } catch (const Error& other) {
      error = other.what();
    }
    std::unique_lock lock(mutex_);
    if (stop_) return;
    if (!error.empty()) {
      errors_ += "sender " + name + " met: " + error + "\n";
      changed_.notify_all();
      return;
    }
    if (refused) {
      ++paused_;
      changed_.notify_all();
      changed_.wait(lock, [this, before = resumed_] { return stop_ || resumed_ != before; });
      continue;
    }
    accepted_.insert(name);
    ++number;
    changed_.notify_all();
  }
}

bool Senders::wait_for_accepted(std::size_t more) {
  std::unique_lock lock(mutex_);
  const auto enough = accepted_.size() + more;
  const auto happened = [&] { return accepted_.size() >= enough || paused_ == threads_.size() || !errors_.empty(); };
  return changed_.wait_for(lock, patience, happened) && errors_.empty();
}

bool Senders::wait_for_refusal() {
  std::unique_lock lock(mutex_);
  const auto happened = [this] { return paused_ == threads_.size() || !errors_.empty(); };
  return changed_.wait_for(lock, patience, happened) && errors_.empty();
}

void Senders::resume() {
  {
    const std::lock_guard lock(mutex_);
    ++resumed_;
    paused_ = 0;  // now: whoever waits for a refusal next must not see those of before
  }
  changed_.notify_all();
}

std::set<std::string> Senders::accepted() const {
  const std::lock_guard lock(mutex_);
  return accepted_;
}

std::string Senders::errors() const {
  const std::lock_guard lock(mutex_);
  return errors_;
}

}  // namespace bobbin::tests
