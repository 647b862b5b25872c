#include "tests/sim/runner.hpp"

#include <algorithm>

namespace bobbin::sim {

namespace {
ActivityKey key_of(const ActivityTask& task) { return {task.context.run, bytes_of(task.input)}; }
}  // namespace

class SimRunner::Port final : public ActivityRunner {
 public:
  explicit Port(SimRunner& runner) : runner_(runner) {}
  std::size_t capacity() const override { return runner_.capacity_; }
  void run(ActivityTask task) override { runner_.start(std::move(task)); }
  bool stop(Duration) override { return runner_.tasks_.empty(); }

 private:
  SimRunner& runner_;
};

std::shared_ptr<ActivityRunner> SimRunner::for_engine() { return std::make_shared<Port>(*this); }

void SimRunner::engine_gone() {
  for (auto& task : tasks_) late_.push_back(std::move(task));
  tasks_.clear();
}

bool SimRunner::runs(const ActivityKey& key) const {
  return std::any_of(tasks_.begin(), tasks_.end(), [&key](const ActivityTask& task) { return key_of(task) == key; });
}

void SimRunner::start(ActivityTask task) {
  if (full()) verdict_.broken("an activity is started beyond the runner's capacity");
  const auto key = key_of(task);
  trace_.add("start");
  trace_.add(key.run);
  trace_.add(task.context.attempt);
  check_attempt(task, key);
  const auto& idempotency_key = task.context.idempotency_key;
  const auto [owner, is_new_key] = by_idempotency_key_.try_emplace(idempotency_key, key);
  const auto [mine, is_new] = idempotency_keys_.try_emplace(key, idempotency_key);
  if (owner->second != key) verdict_.broken("an idempotency key is used again for another activity (S21)");
  if (mine->second != idempotency_key) verdict_.broken("an activity's attempts have different idempotency keys (S21)");
  tasks_.push_back(std::move(task));
}

// Against what is durable at this moment: nothing starts before its decision is (P1, S21).
void SimRunner::check_attempt(const ActivityTask& task, const ActivityKey& key) {
  const auto who = "activity '" + key.input + "' of run " + std::to_string(key.run);
  if (runs(key)) verdict_.broken(who + " runs twice at once in one open (S21)");
  for (const auto& [position, letter] : model_.letters())
    if (letter.is_activity && letter.run == key.run && letter.input == key.input) {
      if (letter.state != DeadLetterState::redriving) verdict_.broken(who + " runs though it is a dead letter (S31)");
      return;
    }
  const auto* instance = model_.instance(instance_id(task.context.instance));
  if (!instance || !instance->live || instance->live->id != key.run)
    return verdict_.broken(who + " starts, but no such run is durable (P1)");
  for (const auto& [ordinal, activity] : instance->live->activities) {
    if (activity.key != key) continue;
    const auto attempt = activity.failures + (model_.opens() - activity.opens_before) + 1;
    if (task.context.attempt != attempt)
      verdict_.broken(who + " starts as attempt " + std::to_string(task.context.attempt) + ", it is the " +
                      std::to_string(attempt) + "th (S21)");
    if (activity.retry_at > clock_.log_time()) verdict_.broken(who + " is tried again too early (S23)");
    if (instance->live->quarantined) verdict_.broken(who + " starts, but its run is quarantined (S16)");
    return;
  }
  verdict_.broken(who + " starts before its decision is durable (P1)");
}

void SimRunner::end(std::size_t index, ActivityOutcome outcome) {
  auto task = std::move(tasks_[index]);
  tasks_.erase(tasks_.begin() + static_cast<std::ptrdiff_t>(index));
  model_.outcome_given(key_of(task), {task.context.attempt, outcome.error, bytes_of(outcome.result)});
  task.done(std::move(outcome));
}

void SimRunner::end_late(std::size_t index) {
  auto task = std::move(late_[index]);
  late_.erase(late_.begin() + static_cast<std::ptrdiff_t>(index));
  task.done({std::make_shared<const Payload>(Payload{CodecId::bytes, 0, 0, "too late"}), {}});
}

}  // namespace bobbin::sim
