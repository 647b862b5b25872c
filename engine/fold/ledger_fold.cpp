#include "engine/fold/ledger_fold.hpp"

#include "engine/fold/fold.hpp"

namespace bobbin {

namespace {

// How many events one record moves from where to where.
struct Moves {
  std::uint64_t accepted = 0, consumed = 0, dead_lettered = 0, expired = 0, discarded = 0, redriven = 0, dismissed = 0;
  std::uint64_t failed_activities = 0, settled_activities = 0;

  bool any() const {
    return (accepted | consumed | dead_lettered | expired | discarded | redriven | dismissed | failed_activities |
            settled_activities) != 0;
  }
};

void count_inputs(const Record& record, Moves& moves) {
  for (const auto& input : inputs_of(record)) {
    if (const auto* event = std::get_if<EventInput>(&input))
      moves.accepted += event->event.position.lsn == record.lsn;
    else if (const auto* failed = std::get_if<ActivityFailed>(&input))
      moves.failed_activities += failed->dead_letter;
  }
}

void count_turn(const TurnBody& turn, Moves& moves) {
  for (const auto& decision : turn.decisions) moves.consumed += std::holds_alternative<EventTaken>(decision);
  if (!turn.end) return;
  for (const auto& unread : turn.end->unread) {
    moves.dead_lettered += unread.fate == UnreadFate::dead_lettered;
    moves.discarded += unread.fate == UnreadFate::discarded;
  }
}

void count_act(const OperatorActBody& act, bool activity_letter, Moves& moves) {
  switch (act.act) {
    case OperatorAct::redrive:
      moves.redriven += !activity_letter;
      return;
    case OperatorAct::discard:
      ++(activity_letter ? moves.settled_activities : moves.dismissed);
      return;
    case OperatorAct::redrive_succeeded:
      ++moves.settled_activities;
      return;
    case OperatorAct::redrive_failed:
    case OperatorAct::purge:
      return;
  }
}

}  // namespace

bool fold_ledger(const Record& record, bool activity_letter, Ledger& ledger) {
  Moves moves;
  count_inputs(record, moves);
  if (const auto* turn = std::get_if<TurnBody>(&record.body)) count_turn(*turn, moves);
  if (const auto* act = std::get_if<OperatorActBody>(&record.body)) count_act(*act, activity_letter, moves);
  if (const auto* expiry = std::get_if<ExpiryBody>(&record.body)) moves.expired = expiry->positions.size();
  if (!moves.any()) return false;

  ledger.accepted += moves.accepted;
  ledger.consumed += moves.consumed;
  ledger.dead_lettered += moves.dead_lettered - moves.redriven - moves.dismissed;
  ledger.expired += moves.expired;
  ledger.discarded += moves.discarded + moves.dismissed;
  ledger.pending +=
      moves.accepted + moves.redriven - moves.consumed - moves.dead_lettered - moves.expired - moves.discarded;
  ledger.failed_activities += moves.failed_activities - moves.settled_activities;
  return true;
}

}  // namespace bobbin
