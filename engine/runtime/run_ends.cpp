// How runs end, and what becomes of their unread events: one record, and in the same commit the successor (P4, S8,
// S12).
#include "engine/runtime/endings.hpp"
#include "engine/runtime/turns.hpp"

#include <bobbin/assert.hpp>

#include <algorithm>

namespace bobbin {

Position Turns::terminate(Instance& instance, TerminateInput input, bool discard_events,
                          const StartInput* replaced_by) {
  const Position here{core_.log.next_lsn(), 0};
  RunEnd end{RunOutcome::terminated, nullptr, {ErrorCode::terminated, {}, input.reason, true}, {}};
  TurnBody body;
  body.inputs.push_back(std::move(input));
  end_run(instance, std::move(body), std::move(end), discard_events, replaced_by);
  return replaced_by ? Position{instance.state.run, 0} : here;
}

namespace {

// What of a run is unread after its last turn, and whether it ever took an event: the state before that turn, or the
// start within it, and what the turn itself brought and took.
struct Remains {
  std::vector<UnreadEvent> unread;
  bool took_event = false;
  std::uint32_t failed_in_a_row = 0;
};

UnreadEvent unread_of(const Event& event, Lsn source) {
  return {event.position, event.name, event.accepted_at, event.carry_count, event.with_start, source, {}};
}

Remains remains_of(const InstanceState& state, const TurnBody& body, Lsn lsn) {
  Remains remains{state.unread, state.took_event, state.failed_in_a_row};
  for (const auto& input : body.inputs) {
    if (const auto* start = std::get_if<StartInput>(&input)) {
      remains = {{}, false, start->failed_in_a_row};
      for (const auto& event : start->carried) remains.unread.push_back(unread_of(event, lsn));
    } else if (const auto* event = std::get_if<EventInput>(&input)) {
      remains.unread.push_back(unread_of(event->event, lsn));
    }
  }
  for (const auto& decision : body.decisions)
    if (const auto* taken = std::get_if<EventTaken>(&decision)) {
      remains.took_event = true;
      std::erase_if(remains.unread, [taken](const UnreadEvent& event) { return event.position == taken->position; });
    }
  return remains;
}

}  // namespace

void Turns::end_run(Instance& instance, TurnBody&& body, RunEnd end, bool discard_events,
                    const StartInput* replaced_by) {
  const auto remains = remains_of(instance.state, body, core_.log.next_lsn());
  const auto plan = plan_ending({end.outcome, remains.took_event, discard_events, replaced_by != nullptr,
                                 remains.failed_in_a_row, core_.clock.now(), core_.clock.elapsed()},
                                remains.unread, core_.options);
  std::vector<UnreadEvent> carried;
  for (std::size_t i = 0; i < plan.unread.size(); ++i) {
    if (plan.unread[i].fate != UnreadFate::successor) continue;
    carried.push_back(remains.unread[i]);
    carried.back().carry_count = plan.unread[i].carry_count;
  }
  // Read before anything is appended or moved: what cannot be read must leave all as it was.
  auto copies = copies_of(carried, &body.inputs);
  for (const auto& event : plan.unread)
    if (event.fate == UnreadFate::dead_lettered) prepare_dead_letter(event.position);

  const auto outcome = end.outcome;
  end.unread = plan.unread;
  body.end = std::move(end);
  if (instance.execution) residency_.remove(instance);
  core_.log.append(instance.state.id, std::move(body));
  desk_.cancel_run(instance.state.run);
  core_.ended.push_back(instance.state.id);
  mailbox_.watch(instance);
  instance.held = false;

  const auto starter = std::find_if(copies.begin(), copies.end(),
                                    [&plan](const Event& event) { return plan.successor_from == event.position; });
  if (replaced_by)
    start_successor(instance, *replaced_by, std::move(copies));
  else if (starter != copies.end())
    start_successor(instance, successor_of(instance, *starter, outcome, plan.successor_begins_at), std::move(copies));
}

// An event that was redriven may die again: its letter is looked at while it can still be written anew. All that a
// damaged one loses is how often it was redriven.
void Turns::prepare_dead_letter(Position position) {
  const auto damage = damage_met_in([&] { core_.overlay.dead_letter(position); });
  if (!damage) return;
  core_.overlay.begin_dead_letter(position);
  core_.say_damage("a dead letter is written anew, and counts its redrives from none", damage->what());
}

StartInput Turns::successor_of(const Instance& instance, const Event& starter, RunOutcome outcome, LogTime begins_at) {
  const auto& state = instance.state;
  StartInput start;
  start.name = state.name;
  start.input = starter.start_input;
  start.run_number = state.run_number + 1;
  start.predecessor = state.run;
  start.failed_in_a_row = outcome == RunOutcome::failed ? state.failed_in_a_row : 0;
  start.begins_at = begins_at;
  start.epoch = core_.overlay.log_state().epoch;
  return start;
}

void Turns::start_successor(Instance& instance, StartInput start, std::vector<Event> carried) {
  start.carried = std::move(carried);
  std::vector<Input> inputs;
  inputs.push_back(std::move(start));
  accept(instance, std::move(inputs));
  make_runnable(instance);
}

std::vector<Event> Turns::copies_of(const std::vector<UnreadEvent>& unread, const std::vector<Input>* next_record) {
  std::vector<Event> copies;
  copies.reserve(unread.size());
  std::shared_ptr<const Record> record;  // many events may stand in one
  for (const auto& event : unread) {
    const bool in_next = next_record && event.source == core_.log.next_lsn();
    if (!in_next && (!record || record->lsn != event.source)) record = core_.log.fetch(event.source);
    const auto* stored =
        in_next ? find_event(*next_record, event.position) : (record ? find_event(*record, event.position) : nullptr);
    if (!stored)
      throw Corrupt("the log lacks event " + to_string(event.position) + " in record " + std::to_string(event.source) +
                    ": run 'bobbin verify'");
    copies.push_back(*stored);
    copies.back().carry_count = event.carry_count;
  }
  return copies;
}

}  // namespace bobbin
