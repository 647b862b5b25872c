#include "engine/fibers/fiber_group.hpp"

#include "engine/base/prefetch.hpp"
#include "engine/fibers/exception_state.hpp"
#include "engine/fibers/scheduler.hpp"

#include <bobbin/assert.hpp>

#include <algorithm>
#include <utility>

namespace bobbin {

namespace {
constexpr std::uint32_t unwinds_before_given_up = 100;
// What a fiber touches of its stack when it goes on: what the switch saved, and its innermost frames.
constexpr std::size_t prefetched_below_frame = 256;
constexpr std::size_t prefetched_above_frame = 1'536;
}  // namespace

FiberGroup::~FiberGroup() { unwind_all(); }

FiberTask& FiberGroup::start(std::function<void()> body) {
  fifo_scheduler();
  auto fresh = std::make_unique<FiberTask>();
  auto& task = *fresh;
  task.body_ = std::move(body);
  tasks_.reserve(tasks_.size() + 1);  // so that nothing fails once the fiber exists
  boost::fibers::fiber(boost::fibers::launch::post, std::allocator_arg, PooledStack(stacks_), [this, &task] {
    enter(task);
  }).detach();
  tasks_.push_back(std::move(fresh));
  return task;
}

void FiberGroup::enter(FiberTask& task) noexcept {
  task.context_ = boost::fibers::context::active();
  current_ = &task;
  try {
    if (!task.unwinding_) task.body_();
  } catch (const Unwind&) {  // the body's locals are destroyed: that was the purpose
  }
  task.body_ = nullptr;
  task.ended_ = true;
  resume_unwinder(task);
  fifo_scheduler().bury_soon();
}

void FiberGroup::run() {
  const ExceptionState own;
  run_ready_fibers();
  current_ = nullptr;
  reap();
}

void FiberGroup::reap() {
  std::erase_if(tasks_, [](const auto& task) { return task->ended(); });
}

// The one place that suspends a fiber.
void FiberGroup::suspend(FiberTask& task) {
  const ExceptionState own;
  task.parked_ = true;
  task.frame_ = __builtin_frame_address(0);
  boost::fibers::context::active()->suspend();
  current_ = &task;
}

void FiberGroup::park() {
  FiberTask& task = *current_;
  if (task.unwinds_ >= unwinds_before_given_up) {
    task.given_up_ = true;
    resume_unwinder(task);
    suspend(task);
    expect(false, "a fiber that was parked for good is never resumed");
  }
  if (!task.unwinding_) suspend(task);
  if (!task.unwinding_) return;
  ++task.unwinds_;
  throw Unwind{};
}

void FiberGroup::wake(FiberTask& task) {
  if (!task.parked_ || task.given_up_) return;
  task.parked_ = false;
  boost::fibers::context::active()->schedule(task.context_);
}

void FiberGroup::resume_unwinder(FiberTask& task) {
  if (auto* unwinder = std::exchange(task.unwinder_, nullptr)) {
    wake(*unwinder);
    fifo_scheduler().prefer(*unwinder->context_);
  }
}

void FiberGroup::unwind(FiberTask& task) {
  if (task.ended_ || task.given_up_) return;
  task.unwinding_ = true;
  if (&task == current_) return;
  if (!task.context_) {  // has never run: only what it was to run with is to go
    task.body_ = nullptr;
    return;
  }
  wake(task);
  fifo_scheduler().prefer(*task.context_);
  if (!current_) return run();
  FiberTask& self = *current_;
  task.unwinder_ = &self;
  suspend(self);
}

void FiberGroup::prefetch_task() const {
  if (!tasks_.empty()) prefetch_bytes(tasks_.front().get(), sizeof(FiberTask));
}

void FiberGroup::prefetch_stack() const {
  if (tasks_.empty()) return;
  const auto& task = *tasks_.front();
  if (!task.parked_) return;
  prefetch_bytes(task.context_, 2 * cache_line);
  prefetch_bytes(static_cast<const char*>(task.frame_) - prefetched_below_frame,
                 prefetched_below_frame + prefetched_above_frame);
}

FiberTask* FiberGroup::newest_living() const {
  const auto living = [](const auto& task) { return !task->ended_ && !task->given_up_; };
  const auto at = std::find_if(tasks_.rbegin(), tasks_.rend(), living);
  return at == tasks_.rend() ? nullptr : at->get();
}

std::size_t FiberGroup::unwind_all() {
  for (const auto& task : tasks_) task->unwinding_ = true;
  while (auto* newest = newest_living()) {
    if (newest->context_)
      unwind(*newest);
    else
      run();  // it has never run: it enters, sees that it is to unwind, and ends
  }
  reap();
  const auto refused = tasks_.size();
  for (auto& task : tasks_) {
    task->context_->worker_unlink();  // else the thread could never end
    task.release();                   // its stack refers to it for ever
  }
  tasks_.clear();
  return refused;
}

}  // namespace bobbin
