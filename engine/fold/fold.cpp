#include "engine/fold/fold.hpp"

#include "engine/base/overloaded.hpp"
#include "engine/fold/instance_fold.hpp"
#include "engine/fold/ledger_fold.hpp"

#include <bobbin/assert.hpp>

#include <algorithm>

namespace bobbin {

namespace {

void fold_operator_act(const Record& record, const OperatorActBody& body, DeadLetter& letter) {
  if (letter.lsn >= record.lsn) return;
  letter.lsn = record.lsn;
  switch (body.act) {
    case OperatorAct::redrive:
      letter.state = letter.is_activity ? DeadLetterState::redriving : DeadLetterState::redriven;
      ++letter.redrives;
      break;
    case OperatorAct::discard:
      letter.state = DeadLetterState::discarded;
      break;
    case OperatorAct::redrive_succeeded:
      letter.state = DeadLetterState::redriven;
      break;
    case OperatorAct::redrive_failed:
      letter.state = DeadLetterState::dead;
      letter.cause = body.error;
      break;
    case OperatorAct::purge:  // on no letter
      break;
  }
}

}  // namespace

void fold_log_state(const Record& record, LogState& state) {
  if (state.lsn >= record.lsn) return;
  state.lsn = record.lsn;
  state.log_time = record.log_time;
  state.elapsed = record.elapsed;
  if (const auto* opened = std::get_if<OpenedBody>(&record.body)) {
    ++state.opens;
    state.epoch = opened->epoch;
  }
}

void fold(const Record& record, FoldTarget& target) {
  fold_log_state(record, target.log_state());
  if (record.instance == InstanceId{}) return;

  const OperatorActBody* act = std::get_if<OperatorActBody>(&record.body);
  auto& state = target.instance(record.instance);
  if (state.lsn < record.lsn) {
    fold_instance(record, state, target);
    state.lsn = record.lsn;
    state.updated_at = record.log_time;
    state.updated_elapsed = record.elapsed;
    target.changed(state);
  }
  if (act && act->act == OperatorAct::purge) return;
  const bool was_activity = act && target.dead_letter(act->target).is_activity;
  if (act) {
    auto& letter = target.dead_letter(act->target);
    fold_operator_act(record, *act, letter);
    target.changed(letter);
  }
  auto& ledger = target.ledger(state.name.orchestrator);
  if (ledger.lsn < record.lsn && fold_ledger(record, was_activity, ledger)) {
    ledger.lsn = record.lsn;
    target.changed(ledger);
  }
}

const std::vector<Input>& inputs_of(const Record& record) {
  static const std::vector<Input> none;
  if (const auto* accepted = std::get_if<AcceptedBody>(&record.body)) return accepted->inputs;
  if (const auto* turn = std::get_if<TurnBody>(&record.body)) return turn->inputs;
  return none;
}

const Event* find_event(const std::vector<Input>& inputs, Position position) {
  for (const auto& input : inputs) {
    if (const auto* event = std::get_if<EventInput>(&input); event && event->event.position == position)
      return &event->event;
    const auto* start = std::get_if<StartInput>(&input);
    if (!start) continue;
    // Carried events are in order of acceptance but for redriven ones, so a look at the likely place first.
    const auto& carried = start->carried;
    const auto at = std::lower_bound(carried.begin(), carried.end(), position,
                                     [](const Event& event, Position wanted) { return event.position < wanted; });
    if (at != carried.end() && at->position == position) return &*at;
    for (const auto& one : carried)
      if (one.position == position) return &one;
  }
  return nullptr;
}

const Event* find_event(const Record& record, Position position) { return find_event(inputs_of(record), position); }

}  // namespace bobbin
