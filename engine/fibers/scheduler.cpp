#include "engine/fibers/scheduler.hpp"

#include <bobbin/assert.hpp>

#include <utility>

namespace bobbin {

using boost::fibers::context;

void FifoScheduler::awakened(context* fiber) noexcept {
  watch_.ready(fiber);
  if (fiber->is_context(boost::fibers::type::dispatcher_context))
    dispatcher_ = fiber;
  else if (fiber->is_context(boost::fibers::type::main_context))
    main_ = fiber;
  else
    fiber->ready_link(fibers_);
}

context* FifoScheduler::pick_next() noexcept {
  context* next = take_next();
  if (next) watch_.goes_to(next);
  return next;
}

context* FifoScheduler::take_next() noexcept {
  if (!fibers_.empty()) {
    context* next = &fibers_.front();
    fibers_.pop_front();
    return next;
  }
  if (dispatcher_ && (bury_ || !main_)) {
    bury_ = false;
    return std::exchange(dispatcher_, nullptr);
  }
  return std::exchange(main_, nullptr);
}

void FifoScheduler::prefer(context& fiber) noexcept {
  fiber.ready_unlink();
  fibers_.push_front(fiber);
}

bool FifoScheduler::has_ready_fibers() const noexcept { return !fibers_.empty() || main_; }

// Reached only if the thread's own flow waits through Boost, which the engine never does.
void FifoScheduler::suspend_until(const std::chrono::steady_clock::time_point&) noexcept {
  assertion_failed("the orchestrator lane never blocks in the fiber scheduler", __FILE__, __LINE__);
}

void FifoScheduler::notify() noexcept {}

FifoScheduler& fifo_scheduler() {
  // Boost keeps one scheduling algorithm a thread and owns it as long as the thread lives.
  thread_local FifoScheduler* scheduler = [] {
    auto* fresh = new FifoScheduler;
    context::active()->get_scheduler()->set_algo(fresh);
    return fresh;
  }();
  return *scheduler;
}

void run_ready_fibers() {
  if (fifo_scheduler().has_ready_fibers()) boost::this_fiber::yield();
}

}  // namespace bobbin
