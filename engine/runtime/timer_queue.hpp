// When to look at which instance: timers, retries and backoffs. The engine's own queue, in log time (P7).
#pragma once

#include <bobbin/store.hpp>

#include <optional>
#include <queue>
#include <vector>

namespace bobbin {

// Holds what was armed since the open, and reads what the store held at the open a page at a time. Entries are hints:
// the instance's state tells whether something is due. Orchestrator lane only.
class TimerQueue {
 public:
  explicit TimerQueue(Store& store) : store_(store) {}

  void arm(const InstanceId& id, LogTime due) { armed_.push({due, id}); }
  // The next entry due at or before `now`, earliest first.
  std::optional<DueEntry> pop_due(LogTime now);
  // When the earliest entry is due; empty: never.
  std::optional<LogTime> next();

 private:
  const DueEntry* stored_front();
  static constexpr std::size_t page_entries = 1'024;

  Store& store_;
  std::priority_queue<DueEntry, std::vector<DueEntry>, std::greater<>> armed_;
  std::vector<DueEntry> page_;  // of the store, from at_ on not popped yet
  std::size_t at_ = 0;
  std::optional<DueEntry> last_read_;
  bool read_all_ = false;
};

}  // namespace bobbin
