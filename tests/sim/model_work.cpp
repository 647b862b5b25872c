// Activities, dead letters, dedup ids, the ledger, and what must hold when all is at rest.
#include "tests/sim/model.hpp"

#include <algorithm>
#include <cmath>

namespace bobbin::sim {

// ---- Activities (P6, S21 to S23) ----

ModelActivity* Model::find_activity(const Record& record, ModelInstance& instance, std::uint32_t ordinal) {
  if (!instance.live || !instance.live->activities.contains(ordinal)) {
    broken(record, "activity #" + std::to_string(ordinal) + " is not pending: a result counts once (P6)");
    return nullptr;
  }
  return &instance.live->activities[ordinal];
}

bool Model::was_given(const ModelActivity& activity, std::uint32_t attempt, const ErrorInfo& error,
                      const PayloadPtr& result) {
  const auto& given = given_[activity.key];
  return std::any_of(given.begin(), given.end(), [&](const GivenOutcome& one) {
    return one.attempt == attempt && one.error == error && one.result == bytes_of(result);
  });
}

void Model::read_completed(const Record& record, const ActivityCompleted& done, ModelRun& run) {
  auto* activity = find_activity(record, instances_[record.instance], done.ordinal);
  if (!activity) return;
  if (!was_given(*activity, done.attempt, {}, done.result))
    broken(record, "records a result that no attempt " + std::to_string(done.attempt) + " gave (P6)");
  run.activities.erase(done.ordinal);
}

namespace {

// The longest delay before the attempt that follows so many failures.
double delay_max(const RetryPolicy& policy, std::uint32_t failures, double sign) {
  const double base = static_cast<double>(policy.first_delay.count()) * std::pow(policy.factor, failures - 1);
  return std::min(base, static_cast<double>(policy.cap.count())) * (1 + sign * policy.jitter);
}

bool is_final(const RetryPolicy& policy, const ErrorInfo& error, std::uint32_t failures) {
  return error.non_retryable || (policy.max_attempts != 0 && failures >= policy.max_attempts) ||
         std::find(policy.non_retryable_types.begin(), policy.non_retryable_types.end(), error.type) !=
             policy.non_retryable_types.end();
}

}  // namespace

void Model::read_attempt(const Record& record, const AttemptBody& attempt, ModelInstance& instance) {
  auto* activity = find_activity(record, instance, attempt.ordinal);
  if (!activity) return;
  if (!was_given(*activity, attempt.attempt, attempt.error, nullptr))
    broken(record, "records a failure that no attempt " + std::to_string(attempt.attempt) + " had (P6)");
  const auto& policy = activity->options.retry;
  const auto failures = ++activity->failures;
  activity->retry_at = attempt.retry_at;
  if (is_final(policy, attempt.error, failures)) broken(record, "tries again what its policy gives up (S23)");
  const auto delay = static_cast<double>((attempt.retry_at - record.log_time).count());
  if (delay < delay_max(policy, failures, -1) - 1 || delay > delay_max(policy, failures, 1) + 1)
    broken(record, "retry " + std::to_string(failures) + " comes after " + std::to_string(delay) +
                       " us, which its policy does not allow (S23)");
  if (attempt.retry_at - activity->scheduled_at > policy.total_time)
    broken(record, "a retry after the total time (S23)");
}

void Model::read_failed(const Record& record, std::uint32_t index, const ActivityFailed& failed,
                        ModelInstance& instance) {
  auto* activity = find_activity(record, instance, failed.ordinal);
  if (!activity) return;
  if (!was_given(*activity, failed.attempt, failed.error, nullptr))
    broken(record, "records a failure that no attempt " + std::to_string(failed.attempt) + " had (P6)");
  const auto& options = activity->options;
  const auto failures = activity->failures + 1;
  const auto spent = static_cast<double>((record.log_time - activity->scheduled_at).count());
  const bool late =
      spent + delay_max(options.retry, failures, 1) + 1 > static_cast<double>(options.retry.total_time.count());
  if (!late && !is_final(options.retry, failed.error, failures))
    broken(record, "gives up activity #" + std::to_string(failed.ordinal) + " after " + std::to_string(failures) +
                       " failures, before its policy does (S23)");
  if (failed.dead_letter != options.dead_letter_on_failure) broken(record, "a dead letter that nobody asked for (S31)");
  if (failed.dead_letter) {
    const Position here{record.lsn, index};
    letters_[here] = {record.instance, instance.live->id,    true, activity->key.input, activity->decision.lsn,
                      record.lsn,      DeadLetterState::dead};
    ++ledger_of(record.instance).failed_activities;
  }
  instance.live->activities.erase(failed.ordinal);
}

// ---- Dead letters ----

// S28: as if it had never run.
void Model::read_purge(const Record& record, const OperatorActBody& act) {
  auto& instance = instances_[record.instance];
  if (instance.live || instance.last_run != act.run) broken(record, "purges an instance whose run lives or is another");
  accepted_under(record, act.dedup_id, {{record.lsn, 0}, record.log_time, record.elapsed});
  instance.last_run = 0;
  instance.run_number = 0;
  instance.last_status = RunStatus::none;
  instance.purged_through = instance.gone_through = record.lsn;
}

void Model::read_act(const Record& record, const OperatorActBody& act) {
  if (act.act == OperatorAct::purge) return read_purge(record, act);
  const auto at = letters_.find(act.target);
  if (at == letters_.end()) return broken(record, "acts on a dead letter that is none");
  auto& letter = at->second;
  letter.settled_in = record.lsn;
  accepted_under(record, act.dedup_id, {{record.lsn, 0}, record.log_time, record.elapsed});
  const bool reports = act.act == OperatorAct::redrive_succeeded || act.act == OperatorAct::redrive_failed;
  if (letter.state != (reports ? DeadLetterState::redriving : DeadLetterState::dead))
    broken(record, std::string("acts on a dead letter that is ") + to_string(letter.state));
  auto& ledger = ledger_of(letter.instance);
  if (act.act == OperatorAct::redrive && !letter.is_activity) {
    letter.state = DeadLetterState::redriven;
    settle(events_[act.target], Fate::pending);
    reviving_.insert(act.target);
  } else if (act.act == OperatorAct::redrive) {
    letter.state = DeadLetterState::redriving;
  } else if (act.act == OperatorAct::redrive_failed) {
    letter.state = DeadLetterState::dead;
  } else {
    letter.state = act.act == OperatorAct::discard ? DeadLetterState::discarded : DeadLetterState::redriven;
    if (letter.is_activity)
      --ledger.failed_activities;
    else
      settle(events_[act.target], Fate::discarded);
  }
}

// ---- Ledger and dedup ids (S13, S14) ----

ModelEvent* Model::pending(const Record& record, Position position, const char* what) {
  const auto at = events_.find(position);
  if (at != events_.end() && at->second.fate == Fate::pending && at->second.instance == record.instance)
    return &at->second;
  broken(record, std::string(what) + " event " + to_string(position) + ", which is not pending here (P2)");
  return nullptr;
}

void Model::settle(ModelEvent& event, Fate fate) {
  auto& ledger = ledger_of(event.instance);
  --ledger.events[event.fate];
  ++ledger.events[fate];
  event.fate = fate;
}

void Model::accepted_under(const Record& record, const std::string& dedup_id, ModelAcceptance acceptance) {
  if (dedup_id.empty()) return;
  auto& all = accepted_[{record.instance, dedup_id}];
  if (!all.empty() && acceptance.elapsed - all.back().elapsed < options_.dedup_horizon)
    broken(record,
           "dedup id '" + dedup_id + "' is accepted again, first at " + to_string(all.back().position) + " (S13)");
  all.push_back(acceptance);
}

const std::vector<ModelAcceptance>& Model::accepted(const InstanceId& id, const std::string& dedup_id) const {
  static const std::vector<ModelAcceptance> none;
  const auto at = accepted_.find({id, dedup_id});
  return at == accepted_.end() ? none : at->second;
}

// ---- Retention (S28) ----

void Model::forget(const InstanceId& id) {
  auto& instance = instances_[id];
  if (instance.live || !instance.unread.empty())
    verdict_.broken("instance " + to_hex(id) + " is forgotten though a run lives or events wait (S28)");
  ModelInstance unknown;
  unknown.name = instance.name;
  unknown.gone_through = instance.gone_through;
  unknown.forgotten = instance.forgotten + 1;
  instance = std::move(unknown);
}

void Model::check_purged(const std::vector<bool>& present, Elapsed elapsed) {
  const auto needed = [&](Lsn lsn, const std::string& by) {
    if (lsn != 0 && !present[lsn])
      verdict_.broken("record " + std::to_string(lsn) + " is purged, but needed by " + by + " (S28)");
  };
  for (Lsn lsn = 1; lsn < present.size(); ++lsn) {
    if (present[lsn]) continue;
    const auto& record = records_[lsn - 1];
    const auto& instance = instances_[record.instance];
    if (record.elapsed + options_.retention > elapsed && lsn > instance.gone_through)
      verdict_.broken("record " + std::to_string(lsn) + " is purged before its time (S28)");
    if (record.run != 0 && record.run == instance.last_run &&
        (instance.live || instance.ended_at + options_.retention > elapsed))
      needed(lsn, "run " + std::to_string(record.run));
  }
  for (const auto& [id, instance] : instances_)
    for (const auto position : instance.unread) needed(events_[position].source, "unread event " + to_string(position));
  for (const auto& [position, letter] : letters_) {
    if (letter.state != DeadLetterState::dead && letter.state != DeadLetterState::redriving) continue;
    const auto by = "dead letter " + to_string(position);
    needed(letter.is_activity ? letter.decision : events_[position].source, by);
    if (letter.is_activity) needed(letter.run, by);
  }
}

// ---- At rest ----

void Model::check_at_rest(LogTime now, Elapsed elapsed, const std::function<bool(const ActivityKey&)>& runs,
                          bool runner_full) {
  for (const auto& [id, instance] : instances_) {
    const auto who = instance.name.orchestrator + "/" + instance.name.key;
    if (!instance.live) {
      for (const auto position : instance.unread)
        if (events_[position].expires_at <= elapsed)
          verdict_.broken("event " + to_string(position) + " in the mailbox of " + who + " is overdue (S10)");
      continue;
    }
    const auto& run = *instance.live;
    if (!can_run(instance) || run.quarantined) continue;
    if (run.begins_at <= now && !run.begun)
      verdict_.broken("run " + std::to_string(run.id) + " of " + who + " does not begin (S12)");
    if (run.begun && !run.backlog.empty()) verdict_.broken("an accepted input of " + who + " is not given (S2)");
    for (const auto& [ordinal, due] : run.timers)
      if (due <= now) verdict_.broken("timer #" + std::to_string(ordinal) + " of " + who + " is lost (P7)");
    for (const auto& [ordinal, activity] : run.activities)
      if (activity.retry_at <= now && !runner_full && !runs(activity.key))
        verdict_.broken("activity #" + std::to_string(ordinal) + " of " + who + " is lost (P6)");
  }
}

void Model::check_ended() {
  for (const auto& [id, instance] : instances_) {
    const auto who = instance.name.orchestrator + "/" + instance.name.key;
    if (instance.live) verdict_.broken("run " + std::to_string(instance.live->id) + " of " + who + " never ends");
    if (!instance.unread.empty()) verdict_.broken("an event of " + who + " never gets anywhere (P2)");
  }
  for (const auto& [orchestrator, ledger] : ledgers_) {
    const auto at = ledger.events.find(Fate::pending);
    if (at != ledger.events.end() && at->second != 0)
      verdict_.broken("the ledger of " + orchestrator + " has pending events at the end (S14)");
  }
}

}  // namespace bobbin::sim
