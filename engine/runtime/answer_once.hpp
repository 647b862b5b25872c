// What every call that changes something has in common: a repeated dedup id gets the first answer again and changes
// nothing (S13), and a refusal is its answer.
#pragma once

#include "engine/runtime/core.hpp"
#include "engine/runtime/request.hpp"

#include <utility>

namespace bobbin {

class AnswerOnce {
 public:
  explicit AnswerOnce(Core& core) : core_(core) {}

  // Within `id`, a dedup id of this hash; zero: there is none.
  struct Identity {
    InstanceId id;
    Id128 hash;
  };

  // Runs `act`, unless the dedup id was accepted before or cannot be remembered. The answer goes out when it is
  // durable.
  template <class Act>
  void operator()(Reply<Accepted>& reply, const InstanceId& id, const Id128& hash, Act act) {
    (*this)(
        reply,
        [&] {
          return Identity{id, hash};
        },
        act);
  }
  // As above; `identify` finds out which dedup id it is, and may refuse as well.
  template <class Identify, class Act>
  void operator()(Reply<Accepted>& reply, Identify identify, Act act) {
    Result<Accepted> result;
    const auto last_lsn = core_.log.last_lsn();
    try {
      const Identity call = identify();
      if (const auto first = find(call.hash))
        result.value = {Acceptance::duplicate, call.id, first->run, 0, first->position, first->accepted_at};
      else
        result.value = remember(call.hash, act());
    } catch (const Error& error) {
      // What half of a call has recorded must not be committed.
      if (!is_refusal(error) || core_.log.last_lsn() != last_lsn) throw;
      if (is_damaged_record(error)) core_.say_damage("a call is refused", error.what());
      core_.counters.refused.add();
      result.error = error.info();
      if (error.code() == ErrorCode::storage_full) {
        core_.counters.refused_storage_full.add();
        core_.refusals.push_back(Completion::of(std::move(reply), std::move(result)));
        return;
      }
    }
    core_.log.answer(std::move(reply), std::move(result));
  }

 private:
  std::optional<DedupEntry> find(const Id128& hash) {
    if (hash == Id128{}) return std::nullopt;
    if (const auto first = core_.dedup.find(hash)) {
      core_.counters.duplicates.add();
      return first;
    }
    if (!core_.dedup.has_room(core_.clock.elapsed()))
      throw Overloaded("the dedup memory is full (" + std::to_string(core_.options.dedup_memory_ids) +
                       " ids): repeat the call when the oldest are beyond the horizon");
    return std::nullopt;
  }

  Accepted remember(const Id128& hash, Accepted answer) {
    if (hash != Id128{}) {
      // A start that used the live run names that run's start: its id stands in a record of its own, the newest.
      const auto record = answer.how == Acceptance::existing ? core_.log.last_lsn() : answer.position.lsn;
      core_.dedup.add({hash, answer.position, answer.run, answer.accepted_at}, record, core_.clock.elapsed());
    }
    core_.counters.accepted.add();
    return answer;
  }

  Core& core_;
};

}  // namespace bobbin
