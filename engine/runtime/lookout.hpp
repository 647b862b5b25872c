// How a lone caller waits for an answer that comes soon. To fall asleep and be woken takes longer than to look, and a
// processor that is awake takes the disk's interrupts sooner.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

namespace bobbin {

class Lookout {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // Any thread. Returns once `answered` holds, at `deadline`, or after a fraction of a millisecond; at once if another
  // caller looks out, or if answers have mostly taken longer than that. Gives way to every other thread.
  template <class Answered>
  void look_for(const Answered& answered, Time deadline) {
    if (!others_can_work_ || taken_.exchange(true, std::memory_order_acquire)) return;
    if (is_worth_it()) count(look(answered, std::min(deadline, std::chrono::steady_clock::now() + longest)));
    taken_.store(false, std::memory_order_release);
  }

 private:
  // About two commits of a fast disk.
  static constexpr std::chrono::microseconds longest{300};
  static constexpr int hits_max = 16;
  static constexpr int hits_a_miss = 4;
  static constexpr int calls_a_trial = 64;

  template <class Answered>
  static bool look(const Answered& answered, Time until) {
    while (!answered()) {
      if (std::chrono::steady_clock::now() >= until) return false;
      std::this_thread::yield();
    }
    return true;
  }
  bool is_worth_it() { return hits_ > 0 || ++passed_over_ % calls_a_trial == 0; }
  void count(bool hit) {
    if (hit && hits_ < hits_max)
      ++hits_;
    else if (!hit)
      hits_ = std::max(hits_ - hits_a_miss, 0);
  }

  const bool others_can_work_ = std::thread::hardware_concurrency() > 1;
  std::atomic<bool> taken_{false};
  // Of whoever has taken it.
  int hits_ = hits_max;
  int passed_over_ = 0;
};

}  // namespace bobbin
