// How the fibers of one thread take turns: an instance's fibers first in, first out (S3), then the thread's own flow.
#pragma once

#include "engine/fibers/switch_watch.hpp"

#include <boost/fiber/all.hpp>

namespace bobbin {

// Only one instance has ready fibers at any time, so one queue is enough. Boost's dispatcher, which buries ended
// fibers, runs when one has ended or nothing else can.
class FifoScheduler final : public boost::fibers::algo::algorithm {
 public:
  void awakened(boost::fibers::context* context) noexcept override;
  boost::fibers::context* pick_next() noexcept override;
  bool has_ready_fibers() const noexcept override;
  void suspend_until(const std::chrono::steady_clock::time_point& until) noexcept override;
  void notify() noexcept override;

  // From a fiber that is about to end.
  void bury_soon() noexcept {
    bury_ = true;
    watch_.ends();
  }
  // The fiber, which is ready, runs before all others.
  void prefer(boost::fibers::context& fiber) noexcept;

 private:
  boost::fibers::context* take_next() noexcept;

  boost::fibers::scheduler::ready_queue_type fibers_;
  boost::fibers::context* main_ = nullptr;
  boost::fibers::context* dispatcher_ = nullptr;
  bool bury_ = false;
  SwitchWatch watch_;
};

// The calling thread's scheduler, put in place by the first call on the thread.
FifoScheduler& fifo_scheduler();

// Runs every ready fiber of this thread until all of them wait or have ended. From the thread's own flow only.
void run_ready_fibers();

}  // namespace bobbin
