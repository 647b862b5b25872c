// How runs begin and end, and what becomes of events between them (S7, S10, S12).
#include "tests/sim/model.hpp"

#include <algorithm>

namespace bobbin::sim {

// ---- Begin ----

void Model::read_start(const Record& record, const StartInput& start, ModelInstance& instance) {
  if (instance.live) broken(record, "a run starts while run " + std::to_string(instance.live->id) + " lives (P3)");
  if (record.run != record.lsn) broken(record, "a run is not named after its start record (S7)");
  if (start.run_number != instance.run_number + 1 || start.predecessor != instance.last_run)
    broken(record, "its number or predecessor is wrong: run " + std::to_string(start.run_number) + " after run " +
                       std::to_string(start.predecessor));
  instance.name = start.name;
  ModelRun run;
  run.id = record.lsn;
  run.begins_at = start.begins_at;
  run.failed_before = start.failed_in_a_row;
  std::vector<Position> expected = instance.unread;
  std::uint32_t failed_before = 0;
  LogTime begins_at = record.log_time;
  if (const auto heir = std::exchange(instance.heir, std::nullopt)) {
    expected = heir->events;
    failed_before = heir->failed_before;
    begins_at = heir->begins_at;
    if (!heir->replaced && bytes_of(start.input) != heir->input)
      broken(record, "a successor does not get the input of the first event that came with one (S12)");
  }
  if (start.failed_in_a_row != failed_before || start.begins_at != begins_at)
    broken(record, "begins at another time than its predecessor's end demands (S12)");
  if (start.carried.size() != expected.size())
    broken(record, "is given " + std::to_string(start.carried.size()) + " events, not the " +
                       std::to_string(expected.size()) + " that wait (P4)");
  for (std::size_t i = 0; i < std::min(start.carried.size(), expected.size()); ++i)
    check_carried(record, start.carried[i], expected[i]);
  for (const auto position : expected) {
    auto& event = events_[position];
    event.source = record.lsn;
    if (event.expires_at != Elapsed{} && event.expires_at <= record.elapsed)
      broken(record, "is given " + to_string(position) + ", whose time in the mailbox was over (S10)");
    event.expires_at = {};
  }
  instance.unread = std::move(expected);
  instance.last_run = record.lsn;
  instance.run_number = start.run_number;
  instance.last_status = RunStatus::running;
  instance.live = std::move(run);
  accepted_under(record, start.dedup_id, {{record.lsn, 0}, record.log_time, record.elapsed});
}

void Model::check_carried(const Record& record, const Event& event, Position expected) {
  const auto& known = events_[expected];
  if (event.position != expected || event.name != known.name || bytes_of(event.value) != known.value ||
      event.accepted_at != known.accepted_at || event.dedup_id != known.dedup_id ||
      event.with_start != known.with_start || bytes_of(event.start_input) != known.start_input)
    broken(record, "carries " + to_string(event.position) + ", which is not what was accepted as " +
                       to_string(expected) + " (S12)");
  if (event.carry_count != known.carries)
    broken(record, to_string(expected) + " was carried " + std::to_string(known.carries) + " times, not " +
                       std::to_string(event.carry_count) + " (S12)");
}

// ---- Events ----

void Model::read_event(const Record& record, std::uint32_t index, const EventInput& input, ModelInstance& instance) {
  const auto& event = input.event;
  if (event.position.lsn != record.lsn) {
    if (reviving_.erase(event.position) == 0)
      return broken(record, to_string(event.position) + " re-enters without an operator's act");
  } else {
    if (event.position.index != index || event.accepted_at != record.log_time)
      broken(record, "an event is not accepted at its record's place and time (S1)");
    auto& accepted = events_[event.position];
    accepted = {record.instance,
                event.name,
                bytes_of(event.value),
                event.accepted_at,
                event.dedup_id,
                event.with_start,
                bytes_of(event.start_input),
                event.carry_count,
                Fate::pending,
                {},
                record.lsn};
    auto& ledger = ledger_of(record.instance);
    ++ledger.accepted;
    ++ledger.events[Fate::pending];
    accepted_under(record, event.dedup_id, {event.position, event.accepted_at, record.elapsed});
  }
  auto& known = events_[event.position];
  known.source = record.lsn;
  known.carries = event.carry_count;
  known.expires_at = {};
  instance.unread.push_back(event.position);
  if (instance.live) return;
  known.expires_at = input.mailbox_expires_at;
  if (input.mailbox_expires_at != record.elapsed + options_.mailbox_time_to_live)
    broken(record, "an event enters the mailbox for another time than configured (S10)");
}

void Model::read_expiry(const Record& record, const ExpiryBody& body, ModelInstance& instance) {
  if (instance.live) broken(record, "events of a live run expire (S10)");
  for (const auto position : body.positions) {
    auto* event = pending(record, position, "expires");
    if (!event) continue;
    if (event->expires_at > record.elapsed) broken(record, to_string(position) + " expires too early (S10)");
    if (std::erase(instance.unread, position) == 0) broken(record, to_string(position) + " is in no mailbox (S10)");
    settle(*event, Fate::expired);
  }
}

// ---- End ----

namespace {

Duration backoff(const EngineOptions& options, std::uint32_t failures) {
  auto delay = options.failure_backoff_first;
  for (; failures > 1 && delay < options.failure_backoff_cap; --failures) delay += delay;
  return std::min(delay, options.failure_backoff_cap);
}

}  // namespace

void Model::read_end(const Record& record, const TurnBody& body, ModelInstance& instance) {
  const auto& end = *body.end;
  auto run = std::move(*instance.live);
  instance.live.reset();
  instance.ended_at = record.elapsed;
  const auto* cut = body.inputs.empty() ? nullptr : std::get_if<TerminateInput>(&body.inputs.front());
  const bool replaced = cut && cut->reason == "replaced by a start";
  const bool discards = cut && cut->reason == "discard";
  const bool failed = end.outcome == RunOutcome::failed;
  instance.last_status = failed ? RunStatus::failed : cut ? RunStatus::terminated : RunStatus::completed;
  if (static_cast<std::uint16_t>(instance.last_status) != static_cast<std::uint16_t>(end.outcome) + 1)
    broken(record, "ends in another way than it was told to");
  check_result(record, end, run);

  const std::uint32_t more = run.took_event ? 0 : 1;
  const auto dies = [&](const ModelEvent& event) { return event.carries + more >= options_.carries_before_dead; };
  const ModelEvent* starter = nullptr;
  for (const auto position : instance.unread)
    if (const auto& event = events_[position]; !starter && event.with_start && !dies(event)) starter = &event;
  const bool successor = replaced || (starter && !discards);

  if (end.unread.size() != instance.unread.size())
    return broken(record, "an end names " + std::to_string(end.unread.size()) + " unread events of " +
                              std::to_string(instance.unread.size()) + " (P4)");
  Heir heir;
  std::vector<Position> mailbox;
  for (std::size_t i = 0; i < end.unread.size(); ++i) {
    const auto position = instance.unread[i];
    auto& event = events_[position];
    UnreadDisposition expected{position, UnreadFate::successor, event.carries + more, {}};
    if (discards) {
      expected = {position, UnreadFate::discarded, event.carries, {}};
      settle(event, Fate::discarded);
    } else if (successor ? dies(event) : event.with_start) {
      expected.fate = UnreadFate::dead_lettered;
      settle(event, Fate::dead);
      letters_[position] = {record.instance, run.id, false, {}, 0, record.lsn, DeadLetterState::dead};
    } else if (successor) {
      heir.events.push_back(position);
    } else {
      expected = {position, UnreadFate::mailbox, event.carries, record.elapsed + options_.mailbox_time_to_live};
      mailbox.push_back(position);
    }
    event.carries = expected.carry_count;
    event.expires_at = expected.mailbox_expires_at;
    check_fate(record, end.unread[i], expected);
  }
  instance.unread = std::move(mailbox);
  if (!successor) return;
  heir.replaced = replaced;
  if (!replaced) heir.input = starter->start_input;
  heir.failed_before = failed && !replaced ? run.failed_before + 1 : 0;
  heir.begins_at = record.log_time;
  if (heir.failed_before != 0) heir.begins_at += backoff(options_, heir.failed_before);
  instance.heir = std::move(heir);
  heirs_.push_back(record.instance);
}

void Model::check_fate(const Record& record, const UnreadDisposition& unread, const UnreadDisposition& expected) {
  if (unread.position != expected.position || unread.fate != expected.fate ||
      unread.carry_count != expected.carry_count || unread.mailbox_expires_at != expected.mailbox_expires_at)
    broken(record, "unread event " + to_string(expected.position) + " goes where it should not: fate " +
                       std::to_string(static_cast<int>(unread.fate)) + " after " + std::to_string(unread.carry_count) +
                       " carries, expected fate " + std::to_string(static_cast<int>(expected.fate)) + " after " +
                       std::to_string(expected.carry_count) + " (S12)");
}

// The workload's orchestrators answer with the values of all events they took, in the order of acceptance.
void Model::check_result(const Record& record, const RunEnd& end, const ModelRun& run) {
  if (end.outcome != RunOutcome::completed || !end.result || end.result->codec != CodecId::bytes) return;
  std::string expected;
  for (const auto& value : run.taken) expected += value + ",";
  if (end.result->bytes != expected)
    broken(record, "the code saw events '" + end.result->bytes + "', the log gave it '" + expected + "' (S11)");
}

}  // namespace bobbin::sim
