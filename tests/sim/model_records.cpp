// Records one by one: their place in the log and in their run, what a turn was given and what it decided.
#include "tests/sim/model.hpp"

#include <algorithm>

namespace bobbin::sim {

void Model::broken(const Record& record, const std::string& what) {
  verdict_.broken("record " + std::to_string(record.lsn) + " (" + kind_name(record.body) + "): " + what);
}

void Model::committed(const Batch& batch) {
  for (const auto& id : batch.forgotten) forget(id);
  for (const auto& record : batch.records) read(record);
  for (const auto& id : heirs_)
    if (instances_[id].heir) verdict_.broken("a run ended without its successor in the same commit (S12)");
  for (const auto position : reviving_)
    verdict_.broken("redriven event " + to_string(position) + " did not re-enter in the same commit (S14)");
  heirs_.clear();
  reviving_.clear();
}

void Model::read(const Record& record) {
  if (record.lsn != last_lsn_ + 1) broken(record, "follows record " + std::to_string(last_lsn_) + " (S1)");
  if (record.log_time < last_time_) broken(record, "log time goes back (S4)");
  if (record.elapsed < last_elapsed_) broken(record, "elapsed time goes back (S4)");
  last_lsn_ = record.lsn;
  last_time_ = record.log_time;
  last_elapsed_ = record.elapsed;
  records_.push_back({record.instance, record.run, record.elapsed});
  if (std::holds_alternative<OpenedBody>(record.body)) ++opens_;
  if (record.instance == InstanceId{}) return;
  auto& instance = instances_[record.instance];
  if (const auto* body = std::get_if<AcceptedBody>(&record.body)) read_accepted(record, *body, instance);
  if (const auto* body = std::get_if<TurnBody>(&record.body)) read_turn(record, *body, instance);
  if (const auto* body = std::get_if<AttemptBody>(&record.body)) read_attempt(record, *body, instance);
  if (const auto* body = std::get_if<ExpiryBody>(&record.body)) read_expiry(record, *body, instance);
  if (const auto* body = std::get_if<OperatorActBody>(&record.body)) read_act(record, *body);
  if (const auto* body = std::get_if<QuarantineBody>(&record.body)) read_quarantine(record, *body, instance);
  if (const auto* body = std::get_if<RememberedBody>(&record.body))
    accepted_under(record, body->dedup_id, {body->position, body->accepted_at, record.elapsed});
  instance.last_lsn = record.lsn;
  read_chain(record, instance);
}

// Gapless: each record of a run names the one before it.
void Model::read_chain(const Record& record, ModelInstance& instance) {
  if (!instance.live || record.run != instance.live->id) return;
  auto& run = *instance.live;
  if (record.run_sequence != run.sequence + 1 || record.run_previous != run.last_record)
    broken(record, "is not chained to the run's last record " + std::to_string(run.last_record));
  run.sequence = record.run_sequence;
  run.last_record = record.lsn;
  run.history.push_back(record);
}

void Model::read_accepted(const Record& record, const AcceptedBody& body, ModelInstance& instance) {
  if (!body.name.orchestrator.empty()) instance.name = body.name;
  for (std::uint32_t i = 0; i < body.inputs.size(); ++i) {
    read_input(record, i, body.inputs[i], instance);
    if (instance.live) instance.live->backlog.push_back({{record.lsn, i}, record.log_time});
  }
}

void Model::read_turn(const Record& record, const TurnBody& body, ModelInstance& instance) {
  read_turn_inputs(record, body, instance);
  if (!instance.live || instance.live->id != record.run) return broken(record, "a turn of a run that does not live");
  auto& run = *instance.live;
  const bool cut = !body.inputs.empty() && std::holds_alternative<TerminateInput>(body.inputs.front());
  if (!cut) {
    if (!run.begun) run.version = code_.version;
    if (record.log_time < run.begins_at) broken(record, "the run begins before its backoff is over (S12)");
    run.begun = true;
    if (!can_run(instance)) broken(record, "a turn of code that is not what took the turns before it (S16, S17)");
    if (run.quarantined) broken(record, "a turn of a quarantined run (S16)");
  }
  for (std::uint32_t i = 0; i < body.decisions.size(); ++i) read_decision(record, i, body.decisions[i], instance);
  if (body.end) {
    read_chain(record, instance);
    read_end(record, body, instance);
  }
}

void Model::read_turn_inputs(const Record& record, const TurnBody& body, ModelInstance& instance) {
  for (std::uint32_t i = 0; i < body.inputs.size(); ++i) {
    const auto& input = body.inputs[i];
    const auto* given = std::get_if<AcceptedInput>(&input);
    const bool from_outside = !std::holds_alternative<TimerFired>(input) &&
                              !std::holds_alternative<TerminateInput>(input) &&
                              !std::holds_alternative<StartInput>(input);
    if (instance.live && from_outside) {
      const bool known = given && !instance.live->backlog.empty();
      check_overdue(record, body, *instance.live, known ? instance.live->backlog.front().at : record.log_time);
    }
    if (!given) {
      read_input(record, i, input, instance);
      continue;
    }
    auto& backlog = instance.live->backlog;
    if (backlog.empty() || backlog.front().position != given->position)
      return broken(record, "gives " + to_string(given->position) + ", which is not the first accepted input (S2)");
    backlog.pop_front();
  }
}

// S5: what is due goes before what was accepted at or after its due time.
void Model::check_overdue(const Record& record, const TurnBody& body, const ModelRun& run, LogTime accepted) {
  if (body.end || !run.begun) return;
  for (const auto& [ordinal, due] : run.timers) {
    if (due > accepted) continue;
    const bool cancelled =
        std::any_of(body.decisions.begin(), body.decisions.end(), [ordinal = ordinal](auto& decision) {
          const auto* one = std::get_if<TimerCancelled>(&decision);
          return one && one->ordinal == ordinal;
        });
    if (!cancelled) broken(record, "an input goes before timer #" + std::to_string(ordinal) + ", due before it (S5)");
  }
}

void Model::read_input(const Record& record, std::uint32_t index, const Input& input, ModelInstance& instance) {
  if (const auto* start = std::get_if<StartInput>(&input)) return read_start(record, *start, instance);
  if (const auto* event = std::get_if<EventInput>(&input)) return read_event(record, index, *event, instance);
  if (!instance.live) return broken(record, "an input for a run that does not live");
  if (const auto* timer = std::get_if<TimerFired>(&input)) read_timer(record, *timer, *instance.live);
  if (const auto* done = std::get_if<ActivityCompleted>(&input)) read_completed(record, *done, *instance.live);
  if (const auto* failed = std::get_if<ActivityFailed>(&input)) read_failed(record, index, *failed, instance);
  if (const auto* end = std::get_if<TerminateInput>(&input))
    accepted_under(record, end->dedup_id, {{record.lsn, index}, record.log_time, record.elapsed});
}

void Model::read_timer(const Record& record, const TimerFired& fired, ModelRun& run) {
  const auto at = run.timers.find(fired.ordinal);
  if (at == run.timers.end()) return broken(record, "a timer fires that is not pending (P7)");
  const auto due = at->second;
  run.timers.erase(at);
  if (due > record.log_time) broken(record, "timer #" + std::to_string(fired.ordinal) + " fires early (P7)");
  for (const auto& [ordinal, other] : run.timers)
    if (other < due || (other == due && ordinal < fired.ordinal))
      broken(record, "timer #" + std::to_string(fired.ordinal) + " fires before #" + std::to_string(ordinal) + " (S5)");
  if (!run.backlog.empty() && run.backlog.front().at < due)
    broken(record,
           "timer #" + std::to_string(fired.ordinal) + " goes before an input accepted before its due time (S5)");
}

void Model::read_decision(const Record& record, std::uint32_t index, const Decision& decision,
                          ModelInstance& instance) {
  auto& run = *instance.live;
  if (const auto* taken = std::get_if<EventTaken>(&decision)) read_taken(record, *taken, instance);
  if (const auto* timer = std::get_if<TimerCreated>(&decision)) run.timers[timer->ordinal] = timer->due;
  if (const auto* gone = std::get_if<TimerCancelled>(&decision); gone && run.timers.erase(gone->ordinal) == 0)
    broken(record, "cancels a timer that is not pending");
  if (const auto* gone = std::get_if<ActivityCancelled>(&decision)) run.activities.erase(gone->ordinal);
  if (const auto* scheduled = std::get_if<ActivityScheduled>(&decision)) {
    ModelActivity activity;
    activity.key = {run.id, bytes_of(scheduled->input)};
    activity.decision = {record.lsn, index};
    activity.options = scheduled->options;
    activity.scheduled_at = record.log_time;
    activity.opens_before = opens_;
    run.activities[scheduled->ordinal] = std::move(activity);
  }
}

// S11: of one name, the first that the wait's bound allows.
void Model::read_taken(const Record& record, const EventTaken& taken, ModelInstance& instance) {
  auto& run = *instance.live;
  auto* event = pending(record, taken.position, "takes");
  if (!event) return;
  const auto at = std::find(instance.unread.begin(), instance.unread.end(), taken.position);
  if (at == instance.unread.end())
    return broken(record, "takes " + to_string(taken.position) + ", which is not its own");
  for (auto earlier = instance.unread.begin(); earlier != at; ++earlier) {
    const auto& other = events_[*earlier];
    if (other.name == event->name && other.accepted_at <= event->accepted_at)
      broken(record, "takes " + to_string(taken.position) + " before " + to_string(*earlier) + " (S11)");
  }
  instance.unread.erase(at);
  run.took_event = true;
  run.taken.push_back(event->value);
  settle(*event, Fate::consumed);
}

void Model::read_quarantine(const Record& record, const QuarantineBody& body, ModelInstance& instance) {
  if (!instance.live) return broken(record, "no run lives that could be quarantined");
  if (body.released != can_run(instance))
    broken(record, body.released ? "out of quarantine with other code (S16)"
                                 : "quarantined though its code is the same: expected " + body.expected + ", found " +
                                       body.found + " (P5)");
  instance.live->quarantined = !body.released;
}

bool Model::can_run(const ModelInstance& instance) const {
  if (instance.name.orchestrator != versioned_orchestrator) return true;
  if (code_.absent) return false;
  return !instance.live || !instance.live->begun || instance.live->version == code_.version;
}

const ModelInstance* Model::instance(const InstanceId& id) const {
  const auto at = instances_.find(id);
  return at == instances_.end() ? nullptr : &at->second;
}

}  // namespace bobbin::sim
