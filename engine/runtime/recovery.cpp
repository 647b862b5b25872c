// What an open does before the lanes start.
#include "engine/base/overloaded.hpp"
#include "engine/runtime/orchestrator.hpp"
#include "engine/runtime/payloads.hpp"

#include <unistd.h>

#include <algorithm>

namespace bobbin {

void Orchestrator::recover() {
  core_.store.snapshot()->scan(core_.info.fold_from, [this](Record&& record) {
    if (record.lsn < core_.info.rows_from)
      fold_log_state(record, core_.overlay.log_state());  // its dedup ids alone are not stored: no row is loaded for it
    else
      fold(record, core_.overlay);
    core_.tail.add(record.lsn, payload_bytes(record));
    core_.overlay.note(record);
    remember_dedup_ids(record);
    return true;
  });
  const auto& state = core_.overlay.log_state();
  core_.clock.resume(state.log_time, state.elapsed);
  core_.log.append(OpenedBody{core_.info.epoch, core_.ports.clock->wall_time(), "pid " + std::to_string(getpid())});
  // Armed, not attended to: what is overdue goes in due order, among what the store holds (S5).
  core_.overlay.for_each([this](Instance& instance) {
    instance.armed = next_due(instance.state);
    if (instance.armed) core_.timers.arm(instance.state.id, *instance.armed);
  });
  count();
  SealedBatch nothing;
  core_.room.ask(nothing);
  writer_.reserve(nothing.bytes_up_to, nothing.reserve);
}

// The run that an event's sender was answered: the one of its record, unless that ended the run and the event went to
// its successor, whose start record then follows in the same commit.
void Orchestrator::remember_dedup_ids(const Record& record) {
  if (record.lsn <= core_.dedup.stored_up_to()) return;
  const auto remember = [&](const std::string& id, Position position, LogTime at, RunId run, Lsn in) {
    if (!id.empty())
      core_.dedup.recover({dedup_hash(core_.info.log_id, record.instance, id), position, run, at}, in, record.elapsed);
  };
  const auto here = [&](const std::string& id, std::uint32_t index) {
    remember(id, {record.lsn, index}, record.log_time, record.run, record.lsn);
  };
  if (const auto* known = std::get_if<RememberedBody>(&record.body))
    remember(known->dedup_id, known->position, known->accepted_at, known->run, record.lsn);
  if (const auto* act = std::get_if<OperatorActBody>(&record.body); act && !act->dedup_id.empty())
    remember(act->dedup_id, {record.lsn, 0}, record.log_time, act->run, record.lsn);
  const auto& inputs = inputs_of(record);
  for (std::uint32_t i = 0; i < inputs.size(); ++i) {
    const Position position{record.lsn, i};
    if (const auto* event = std::get_if<EventInput>(&inputs[i]); event && event->event.position == position) {
      if (!begins_successor(record, position)) here(event->event.dedup_id, i);
    } else if (const auto* start = std::get_if<StartInput>(&inputs[i])) {
      for (const auto& carried : start->carried)
        if (carried.position == began_successor_)
          remember(carried.dedup_id, carried.position, carried.accepted_at, record.run, carried.position.lsn);
      began_successor_ = {};  // a later start may carry it, too
      here(start->dedup_id, i);
    } else if (const auto* terminate = std::get_if<TerminateInput>(&inputs[i])) {
      here(terminate->dedup_id, i);
    }
  }
}

bool Orchestrator::begins_successor(const Record& record, Position event) {
  const auto* turn = std::get_if<TurnBody>(&record.body);
  if (!turn || !turn->end || record.run == record.lsn) return false;
  const auto& unread = turn->end->unread;
  const bool carried = std::any_of(unread.begin(), unread.end(), [event](const UnreadDisposition& disposition) {
    return disposition.position == event && disposition.fate == UnreadFate::successor;
  });
  if (carried) began_successor_ = event;
  return carried;
}

}  // namespace bobbin
