#include "tests/support/log_audit.hpp"

#include <algorithm>

namespace bobbin::testing {

namespace {
std::string bytes_of(const PayloadPtr& payload) { return payload ? payload->bytes : std::string(); }
}  // namespace

LogAudit::LogAudit(const std::vector<Record>& records) {
  for (const auto& record : records) read(record);
}

void LogAudit::broken(const Record& record, const std::string& what) {
  violations.push_back("record " + std::to_string(record.lsn) + ": " + what);
}

void LogAudit::read(const Record& record) {
  if (const auto* accepted = std::get_if<AcceptedBody>(&record.body)) {
    if (!accepted->name.key.empty()) keys_[record.instance].name = accepted->name;
    for (const auto& input : accepted->inputs) read_input(record, input);
  }
  if (const auto* turn = std::get_if<TurnBody>(&record.body)) {
    for (const auto& input : turn->inputs) read_input(record, input);
    if (record.run != keys_[record.instance].live) broken(record, "a turn of a run that does not live");
    for (const auto& decision : turn->decisions)
      if (const auto* taken = std::get_if<EventTaken>(&decision)) settle(record, taken->position, Fate::consumed);
    if (turn->end) read_end(record, *turn->end);
  }
  if (const auto* expiry = std::get_if<ExpiryBody>(&record.body))
    for (const auto position : expiry->positions) settle(record, position, Fate::expired);
  if (const auto* act = std::get_if<OperatorActBody>(&record.body)) read_act(record, *act);
}

void LogAudit::read_input(const Record& record, const Input& input) {
  if (const auto* start = std::get_if<StartInput>(&input)) read_start(record, *start);
  if (const auto* event = std::get_if<EventInput>(&input)) read_event(record, event->event);
  const auto* terminate = std::get_if<TerminateInput>(&input);
  if (terminate && !terminate->dedup_id.empty()) ++times_accepted[to_hex(record.instance) + terminate->dedup_id];
}

void LogAudit::read_start(const Record& record, const StartInput& start) {
  auto& key = keys_[record.instance];
  if (key.live != 0) broken(record, "a run starts while run " + std::to_string(key.live) + " lives");
  key.live = record.lsn;
  key.name = start.name;
  ++runs;
  if (!start.dedup_id.empty()) ++times_accepted[to_hex(record.instance) + start.dedup_id];
  for (const auto& event : start.carried) {
    const auto at = events.find(event.position);
    if (at == events.end() || at->second.fate != Fate::pending)
      broken(record, "carries event " + to_string(event.position) + ", which is not pending");
  }
}

void LogAudit::read_event(const Record& record, const Event& event) {
  if (event.position.lsn != record.lsn) {
    if (!events.contains(event.position)) broken(record, "an event re-enters that was never accepted");
    return;
  }
  if (!event.dedup_id.empty()) ++times_accepted[to_hex(record.instance) + event.dedup_id];
  const auto& name = keys_[record.instance].name;
  if (!events
           .try_emplace(event.position, EventFate{name.orchestrator, record.instance, event.name, bytes_of(event.value),
                                                  Fate::pending, 0})
           .second)
    broken(record, "accepts two events at one position");
}

void LogAudit::settle(const Record& record, Position position, Fate fate) {
  const auto at = events.find(position);
  if (at == events.end() || at->second.fate != Fate::pending || at->second.instance != record.instance)
    return broken(record, "settles event " + to_string(position) + ", which is not pending here");
  at->second.fate = fate;
  if (fate == Fate::consumed) at->second.consumer = record.run;
}

void LogAudit::read_end(const Record& record, const RunEnd& end) {
  keys_[record.instance].live = 0;
  for (const auto& unread : end.unread) {
    if (unread.fate == UnreadFate::dead_lettered) settle(record, unread.position, Fate::dead);
    if (unread.fate == UnreadFate::discarded) settle(record, unread.position, Fate::discarded);
  }
  const auto named = [&end](Position position) {
    return std::any_of(end.unread.begin(), end.unread.end(),
                       [position](const UnreadDisposition& unread) { return unread.position == position; });
  };
  for (const auto& [position, event] : events)
    if (event.instance == record.instance && event.fate == Fate::pending && !named(position))
      broken(record, "ends a run and forgets event " + to_string(position));
}

void LogAudit::read_act(const Record& record, const OperatorActBody& act) {
  const auto at = events.find(act.target);
  if (at == events.end()) return;  // a failed activity: outside the event ledger
  if (at->second.fate != Fate::dead) broken(record, "acts on event " + to_string(act.target) + ", which is not dead");
  at->second.fate = act.act == OperatorAct::redrive ? Fate::pending : Fate::discarded;
}

Ledger LogAudit::ledger(const std::string& orchestrator) const {
  Ledger ledger;
  ledger.orchestrator = orchestrator;
  for (const auto& [position, event] : events) {
    if (event.orchestrator != orchestrator) continue;
    ++ledger.accepted;
    ledger.pending += event.fate == Fate::pending;
    ledger.consumed += event.fate == Fate::consumed;
    ledger.dead_lettered += event.fate == Fate::dead;
    ledger.expired += event.fate == Fate::expired;
    ledger.discarded += event.fate == Fate::discarded;
  }
  return ledger;
}

}  // namespace bobbin::testing
