#include "tools/gateway/restart.hpp"

#include <algorithm>

namespace bobbin::gateway {

namespace {

const std::vector<Input>* inputs_of(const Record& record) {
  if (const auto* accepted = std::get_if<AcceptedBody>(&record.body)) return &accepted->inputs;
  if (const auto* turn = std::get_if<TurnBody>(&record.body)) return &turn->inputs;
  return nullptr;
}

// Of one life: its records from `last` back to `life.first_lsn`.
std::size_t remember_life(Snapshot& snapshot, const Life& life, Lsn last, Retransmission::Time until,
                          const RetransmissionOptions& options, Retransmission& retransmission) {
  const auto newest = snapshot.record(last);
  if (!newest) return 0;
  const auto died_at = std::max(newest->elapsed, life.began + life.lived);
  std::size_t remembered = 0;
  for (auto lsn = last; lsn >= life.first_lsn; --lsn) {
    const auto record = snapshot.record(lsn);
    if (!record || died_at - record->elapsed > options.before_death) break;
    const auto* inputs = inputs_of(*record);
    if (!inputs) continue;
    for (const auto& input : *inputs)
      if (const auto* event = std::get_if<EventInput>(&input); event && event->event.position.lsn == lsn)
        remembered += retransmission.absorb_after_restart(event->event.dedup_id, until);
  }
  return remembered;
}

}  // namespace

std::size_t seed_after_restart(Store& store, const std::vector<Life>& lives, Retransmission::Time restarted_at,
                               const RetransmissionOptions& options, Retransmission& retransmission) {
  const auto snapshot = store.snapshot();
  auto last = store.info().last_lsn;
  if (lives.empty())
    return remember_life(*snapshot, {1, {}, {}}, last, restarted_at + options.absorb_for, options, retransmission);
  std::size_t remembered = 0;
  Duration left = options.absorb_for;  // of the time for repetitions, which later lives have used up
  for (auto life = lives.rbegin(); life != lives.rend(); ++life) {
    if (life->first_lsn > last) continue;  // it wrote nothing
    remembered += remember_life(*snapshot, *life, last, restarted_at + left, options, retransmission);
    left -= life->lived;
    if (left <= Duration{}) break;
    last = life->first_lsn - 1;
  }
  return remembered;
}

}  // namespace bobbin::gateway
