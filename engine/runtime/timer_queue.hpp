// When to look at which instance: timers, retries, backoffs and mailboxes. The engine's own queue, in log time (P7).
#pragma once

#include <bobbin/store.hpp>

#include <functional>
#include <optional>
#include <vector>

namespace bobbin {

// Holds what was armed lately, and reads what the store holds a page at a time: a million waiting instances take no
// memory here. Entries are hints: the instance's state tells whether something is due. Orchestrator lane only.
class TimerQueue {
 public:
  // Damaged entries of the store are told to `on_damage` and passed over.
  TimerQueue(Store& store, DamageVisitor on_damage);

  void arm(const InstanceId& id, LogTime due);
  // The next entry due at or before `now`, earliest first.
  std::optional<DueEntry> pop_due(LogTime now);
  // When the earliest entry is due; empty: never.
  std::optional<LogTime> next();

  // Lets go of entries that the store holds, those of instances that are not in memory, when many have gathered.
  void shed(LogTime now, const std::function<bool(const InstanceId&)>& in_memory);
  std::size_t in_memory() const { return armed_.size(); }

 private:
  const DueEntry* stored_front();
  void read_again_behind(LogTime now);

  Store& store_;
  const DamageVisitor on_damage_;
  std::vector<DueEntry> armed_;  // a heap, the earliest first
  std::size_t shed_at_;
  std::vector<DueEntry> page_;  // of the store, from at_ on not popped yet
  std::size_t at_ = 0;
  std::optional<DueEntry> last_read_;  // behind it the store has been read up to here
  bool read_all_ = false;              // nothing was behind it
};

}  // namespace bobbin
