// How a lone blocked caller waits for an answer that comes soon. To fall asleep and be woken takes longer than to look,
// and a processor that is awake takes the disk's interrupts sooner.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

namespace bobbin {

class Lookout {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Lookout(bool others_can_work = std::thread::hardware_concurrency() > 1)
      : others_can_work_(others_can_work) {}

  // A blocked caller, from before its request is sent until it is answered.
  class Caller {
   public:
    explicit Caller(Lookout& lookout) : lookout_(lookout) { ++lookout_.callers_; }
    ~Caller() { --lookout_.callers_; }
    Caller(const Caller&) = delete;
    Caller& operator=(const Caller&) = delete;

    // Returns once `answered` holds, at `deadline`, or after a millisecond; at once if there are other
    // callers, or if that has hardly ever been long enough. Yields its processor all the while.
    template <class Answered>
    void look_for(const Answered& answered, Clock::time_point deadline) {
      lookout_.look_for(answered, deadline);
    }

   private:
    Lookout& lookout_;
  };

 private:
  enum class Sight { answer, nothing, deadline };

  // About two commits of a slow disk in a virtual machine: who misses one of those by a little has looked for nothing.
  static constexpr std::chrono::microseconds longest{1'000};
  // Others want the processor when it does not come back by then.
  static constexpr std::chrono::microseconds yielded_for_long{100};
  // A miss counts as much as this many hits; with none left only every 16th call looks.
  static constexpr int hits_a_miss = 4;
  static constexpr int hits_max = 16;
  static constexpr unsigned calls_a_trial = 16;

  template <class Answered>
  void look_for(const Answered& answered, Clock::time_point deadline) {
    if (!others_can_work_ || callers_ > 1) return;
    if (hits_ > 0 || ++passed_over_ % calls_a_trial == 0) count(look(answered, deadline));
  }

  template <class Answered>
  static Sight look(const Answered& answered, Clock::time_point deadline) {
    auto now = Clock::now();
    const auto until = now + longest;
    while (!answered()) {
      const auto before = now;
      std::this_thread::yield();
      now = Clock::now();
      if (now >= deadline) return Sight::deadline;
      if (now >= until || now - before > yielded_for_long) return Sight::nothing;
    }
    return Sight::answer;
  }

  void count(Sight sight) {
    if (sight == Sight::answer) hits_ = std::min(hits_ + 1, hits_max);
    if (sight == Sight::nothing) hits_ = std::max(hits_ - hits_a_miss, 0);
  }

  const bool others_can_work_;
  std::atomic<int> callers_{0};
  // Of the one who found itself alone: until it is gone, nobody else does.
  int hits_ = hits_max;
  unsigned passed_over_ = 0;
};

}  // namespace bobbin
