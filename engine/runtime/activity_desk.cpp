#include "engine/runtime/activity_desk.hpp"

#include "engine/fold/fold.hpp"

#include <sodium.h>

#include <algorithm>
#include <cmath>

namespace bobbin {

namespace {

// Decisions kept in memory until they are started: so many, of inputs up to this size.
constexpr std::size_t kept_max = 256;
constexpr std::size_t kept_bytes_max = 64 << 10;

const ActivityScheduled* scheduled_at(const Record* record, Position decision) {
  const auto* turn = record ? std::get_if<TurnBody>(&record->body) : nullptr;
  if (!turn || decision.index >= turn->decisions.size()) return nullptr;
  return std::get_if<ActivityScheduled>(&turn->decisions[decision.index]);
}

Id128 epoch_of_run(const Record* start_record) {
  if (!start_record) return {};
  const auto& inputs = inputs_of(*start_record);
  const auto* start = inputs.empty() ? nullptr : std::get_if<StartInput>(&inputs.front());
  return start ? start->epoch : Id128{};
}

// In microseconds: what a Duration can hold, with room to spare.
constexpr double longest_delay = 0x1.0p62;

// Delay before the attempt that follows `failures` failed ones.
Duration retry_delay(const RetryPolicy& policy, std::uint32_t failures, std::uint64_t random) {
  if (policy.first_delay == Duration{}) return {};  // times a factor that has grown beyond all numbers it is none
  const double base = static_cast<double>(policy.first_delay.count()) * std::pow(policy.factor, failures - 1);
  const double capped = std::min(base, static_cast<double>(policy.cap.count()));
  const double unit = static_cast<double>(random >> 11) * 0x1.0p-53;  // 0 to 1
  const double moved = capped * (1 + policy.jitter * (2 * unit - 1));
  return Duration(static_cast<Duration::rep>(std::min(moved, longest_delay)));
}

bool may_retry(const RetryPolicy& policy, const ErrorInfo& error, std::uint32_t failures) {
  if (error.non_retryable || (policy.max_attempts != 0 && failures >= policy.max_attempts)) return false;
  return std::find(policy.non_retryable_types.begin(), policy.non_retryable_types.end(), error.type) ==
         policy.non_retryable_types.end();
}

}  // namespace

void ActivityDesk::schedule(const Instance& instance, const PendingActivity& activity, Lsn lsn) {
  const auto& state = instance.state;
  const Key key{state.run, activity.ordinal, false};
  const auto opens = core_.overlay.log_state().opens;
  Task task;
  task.id = state.id;
  task.name = state.name;
  task.activity = activity.name;
  task.decision = activity.decision;
  task.attempt = activity.failures + (opens - activity.scheduled_in_open) + 1;
  keep(task);
  put(key, std::move(task), lsn, activity.retry_at);
}

void ActivityDesk::keep(Task& task) {
  if (kept_ >= kept_max) return;
  const auto* scheduled = scheduled_at(core_.log.newest(task.decision.lsn), task.decision);
  if (!scheduled || (scheduled->input && scheduled->input->bytes.size() > kept_bytes_max)) return;
  task.kept = std::make_unique<const Kept>(*scheduled, kept_);
}

void ActivityDesk::redrive(const DeadLetter& letter, Lsn lsn) {
  Task task;
  task.id = instance_id(letter.name);
  task.name = letter.name;
  task.activity = letter.what;
  task.decision = letter.source;
  task.redriven = letter.position;
  task.attempt = letter.redrives + 1;
  put({letter.run, letter.ordinal, true}, std::move(task), lsn, LogTime{});
}

void ActivityDesk::put(const Key& key, Task task, Lsn lsn, LogTime not_before) {
  if (!core_.registry.find_activity(task.activity)) {
    if (!unregistered_.insert(key).second) return;
    core_.counters.unregistered.add();
    core_.say(LogLevel::warning, "activity '" + task.activity + "' of '" + task.name.orchestrator +
                                     "' is not registered: it waits for an open whose registry has it");
    return;
  }
  if (!tasks_.emplace(key, std::move(task)).second) return;
  lsn = std::max(lsn, core_.info.last_lsn + 1);  // its number counts this open, the record of which must be durable
  if (not_before > core_.clock.now())
    later_.push({not_before, {lsn, key}});
  else
    durable_wait_.push_back({lsn, key});
}

void ActivityDesk::start_due(Lsn durable) {
  for (; !later_.empty() && later_.top().at <= core_.clock.now(); later_.pop())
    durable_wait_.push_back(later_.top().waiting);
  while (!durable_wait_.empty() && durable_wait_.front().lsn <= durable &&
         running_ < core_.ports.activities->capacity()) {
    const auto waiting = durable_wait_.front();
    durable_wait_.pop_front();
    const auto at = tasks_.find(waiting.key);
    if (at != tasks_.end() && !at->second.running && !start(waiting.key, at->second)) tasks_.erase(at);
  }
  core_.counters.activities_running.set(running_);
}

std::optional<LogTime> ActivityDesk::next_retry() const {
  return later_.empty() ? std::nullopt : std::optional(later_.top().at);
}

bool ActivityDesk::start(const Key& key, Task& task) {
  std::optional<ActivityTask> attempt;
  if (const auto damage = damage_met_in([&] { attempt = prepare(key, task); })) {
    core_.say_damage("activity '" + task.activity + "' of run " + std::to_string(key.run) + " of '" +
                         task.name.orchestrator + "' is not started until an open after the repair",
                     damage->what());
    return false;
  }
  task.running = true;
  ++running_;
  core_.counters.activity_attempts.add();
  core_.ports.activities->run(std::move(*attempt));
  return true;
}

ActivityTask ActivityDesk::prepare(const Key& key, Task& task) {
  const auto kept = std::move(task.kept);
  const auto record = kept ? nullptr : core_.log.fetch(task.decision.lsn);
  const auto* scheduled = kept ? &kept->scheduled : scheduled_at(record.get(), task.decision);
  if (!scheduled) throw Corrupt("the log holds no decision at " + to_string(task.decision) + ": run 'bobbin verify'");
  task.retry = scheduled->options.retry;
  task.dead_letter_on_failure = scheduled->options.dead_letter_on_failure;
  ActivityTask attempt;
  attempt.name = task.activity;
  attempt.input = scheduled->input;
  attempt.context = {task.name, key.run, idempotency_key(task, key), task.attempt, task.cancellation};
  attempt.done = [done = done_, result = AttemptDone{task.id, key.run, key.ordinal, task.attempt, task.redriven, {}}](
                     ActivityOutcome outcome) mutable {
    result.outcome = std::move(outcome);
    done(std::move(result));
  };
  return attempt;
}

std::string ActivityDesk::idempotency_key(const Task& task, const Key& key) const {
  const auto* instance = core_.overlay.resident_row(task.id);
  const bool resident = instance && instance->execution && instance->state.run == key.run;
  const Id128 epoch = resident ? instance->epoch : epoch_of_run(core_.log.fetch(key.run).get());
  Id128 hash;
  crypto_generichash_state state;
  crypto_generichash_init(&state, nullptr, 0, hash.bytes.size());
  const auto add = [&state](const void* bytes, std::size_t size) {
    crypto_generichash_update(&state, static_cast<const unsigned char*>(bytes), size);
  };
  for (const auto* id : {&core_.info.log_id, &epoch, &task.id}) add(id->bytes.data(), id->bytes.size());
  const std::uint64_t numbers[] = {key.run, key.ordinal};
  add(numbers, sizeof numbers);
  crypto_generichash_final(&state, hash.bytes.data(), hash.bytes.size());
  return to_hex(hash);
}

void ActivityDesk::cancel(RunId run, std::uint32_t ordinal) {
  const auto at = tasks_.find({run, ordinal, false});
  if (at == tasks_.end()) return;
  at->second.cancellation.cancel();
  if (!at->second.running) tasks_.erase(at);
}

void ActivityDesk::cancel_run(RunId run) {
  for (auto at = tasks_.lower_bound({run, 0, false}); at != tasks_.end() && at->first.run == run;) {
    const auto next = std::next(at);
    if (!at->first.redrive) cancel(run, at->first.ordinal);
    at = next;
  }
}

void ActivityDesk::cancel_waiting(RunId run) {
  const auto waits = [run](const auto& task) {
    return task.first.run == run && !task.first.redrive && !task.second.running;
  };
  std::erase_if(tasks_, waits);
}

void ActivityDesk::cancel_all() {
  for (auto& [key, task] : tasks_) task.cancellation.cancel();
}

ActivityDesk::Judgement ActivityDesk::judge(const AttemptDone& done, const PendingActivity* activity) {
  const auto at = tasks_.find({done.run, done.ordinal, false});
  if (at == tasks_.end() || !at->second.running) return {};
  const auto task = std::move(at->second);
  tasks_.erase(at);
  --running_;
  if (!activity) return {};
  if (!done.outcome.error) return {Verdict::completed, {}, false};
  const auto failures = activity->failures + 1;
  const auto retry_at = add_saturating(core_.clock.now(), retry_delay(task.retry, failures, core_.ports.random()));
  const bool in_time = retry_at <= add_saturating(activity->scheduled_at, task.retry.total_time);
  if (in_time && may_retry(task.retry, done.outcome.error, failures)) return {Verdict::retry, retry_at, false};
  return {Verdict::failed, {}, task.dead_letter_on_failure};
}

bool ActivityDesk::forget_redrive(const AttemptDone& done) {
  const auto at = tasks_.find({done.run, done.ordinal, true});
  if (at == tasks_.end()) return false;
  tasks_.erase(at);
  --running_;
  return true;
}

}  // namespace bobbin
