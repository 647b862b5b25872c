#include "tools/gateway/restart.hpp"

#include <bobbin/damage.hpp>

#include <algorithm>
#include <map>
#include <string_view>

namespace bobbin::gateway {

namespace {

const std::vector<Input>* inputs_of(const Record& record) {
  if (const auto* accepted = std::get_if<AcceptedBody>(&record.body)) return &accepted->inputs;
  if (const auto* turn = std::get_if<TurnBody>(&record.body)) return &turn->inputs;
  return nullptr;
}

// The first record in [lsn, end) that is neither purged nor damaged: a damaged one far from the end is `verify`'s
// matter.
std::optional<Record> record_from(Snapshot& snapshot, Lsn lsn, Lsn end) {
  std::optional<Record> found;
  for (; lsn < end && !found; ++lsn) {
    const auto damage = damage_met_in([&] {
      snapshot.scan(lsn, [&found](Record&& record) {
        found = std::move(record);
        return false;
      });
    });
    if (!damage && (!found || found->lsn >= end)) return std::nullopt;
  }
  return found;
}

// Where in [from, end) what was written at or after `time` begins. Purged stretches are of no account.
Lsn first_since(Snapshot& snapshot, Lsn from, Lsn end, Elapsed time) {
  while (from < end) {
    const Lsn middle = from + (end - from) / 2;
    const auto record = record_from(snapshot, middle, end);
    if (!record || record->elapsed >= time)
      end = middle;
    else
      from = record->lsn + 1;
  }
  return from;
}

// A life as the log and the notes tell it: its records are those before `end`, and it died at `died_at` or later.
struct Span {
  Life life;
  Lsn end = 0;
  Elapsed died_at{};
};

class Memory {
 public:
  Memory(Snapshot& snapshot, const std::vector<Repetition>& repetitions, const RetransmissionOptions& options,
         Retransmission& retransmission)
      : snapshot_(snapshot), options_(options), retransmission_(retransmission) {
    for (const auto& repetition : repetitions) last_repetition_[repetition.dedup_id] = &repetition;
  }

  std::size_t remember(const Span& span, Retransmission::Time until) {
    return remember_first(span, until) + remember_repeated(span, until);
  }

 private:
  // What came for the first time in that life, and was not repeated since.
  std::size_t remember_first(const Span& span, Retransmission::Time until) {
    std::size_t remembered = 0;
    const auto from = first_since(snapshot_, span.life.first_lsn, span.end, span.died_at - options_.before_death);
    snapshot_.scan(from, [&](Record&& record) {
      if (record.lsn >= span.end) return false;
      const auto* inputs = inputs_of(record);
      if (!inputs) return true;
      for (const auto& input : *inputs) {
        const auto* event = std::get_if<EventInput>(&input);
        if (event && event->event.position.lsn == record.lsn && !last_repetition_.contains(event->event.dedup_id))
          remembered += retransmission_.absorb_after_restart(event->event.dedup_id, until);
      }
      return true;
    });
    return remembered;
  }

  // A repetition in a life without a note of its own may have come right before its end.
  std::size_t remember_repeated(const Span& span, Retransmission::Time until) {
    std::size_t remembered = 0;
    for (const auto& [dedup_id, repetition] : last_repetition_) {
      if (repetition->life < span.life.first_lsn || repetition->life >= span.end) continue;
      const bool is_timed = repetition->life == span.life.first_lsn;
      if (is_timed && span.life.lived - repetition->lived > options_.before_death) continue;
      remembered += retransmission_.absorb_after_restart(dedup_id, until);
    }
    return remembered;
  }

  Snapshot& snapshot_;
  const RetransmissionOptions& options_;
  Retransmission& retransmission_;
  std::map<std::string_view, const Repetition*> last_repetition_;  // by dedup id
};

}  // namespace

std::size_t seed_after_restart(Store& store, const Past& past, Retransmission::Time restarted_at,
                               const RetransmissionOptions& options, Retransmission& retransmission) {
  const auto snapshot = store.snapshot();
  const auto last = snapshot->record(store.info().last_lsn);
  if (!last) return 0;
  Memory memory(*snapshot, past.repetitions, options, retransmission);
  // The last record before `end` was written then; it itself may be purged.
  auto end = last->lsn + 1;
  auto last_written = last->elapsed;
  if (past.lives.empty()) return memory.remember({{1, {}, {}}, end, last_written}, restarted_at + options.absorb_for);
  std::size_t remembered = 0;
  Duration left = options.absorb_for;  // of the time for repetitions, which later lives have used up
  for (auto life = past.lives.rbegin(); life != past.lives.rend() && left > Duration{}; ++life) {
    if (life->first_lsn >= end) continue;  // it wrote nothing
    const auto died_at = std::max(last_written, life->began + life->lived);
    remembered += memory.remember({*life, end, died_at}, restarted_at + left);
    left -= life->lived;
    end = life->first_lsn;
    last_written = life->began;
  }
  return remembered;
}

}  // namespace bobbin::gateway
