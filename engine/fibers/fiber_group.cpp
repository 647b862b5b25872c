#include "engine/fibers/fiber_group.hpp"

#include "engine/fibers/exception_state.hpp"
#include "engine/fibers/scheduler.hpp"

#include <bobbin/assert.hpp>

#include <algorithm>

namespace bobbin {

namespace {
constexpr std::uint32_t unwinds_before_given_up = 100;
}

FiberGroup::~FiberGroup() { unwind_all(); }

FiberTask& FiberGroup::start(std::function<void()> body) {
  fifo_scheduler();
  auto& task = *tasks_.emplace_back(std::make_unique<FiberTask>());
  task.body_ = std::move(body);
  boost::fibers::fiber(boost::fibers::launch::post, std::allocator_arg, PooledStack(stacks_), [this, &task] {
    enter(task);
  }).detach();
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

void FiberGroup::park() {
  FiberTask& task = *current_;
  const bool given_up = task.unwinds_ >= unwinds_before_given_up;
  if (!task.unwinding_ || given_up) {
    const ExceptionState own;
    task.parked_ = true;
    boost::fibers::context::active()->suspend();
    current_ = &task;
  }
  if (!task.unwinding_) return;
  ++task.unwinds_;
  throw Unwind{};
}

void FiberGroup::wake(FiberTask& task) {
  if (!task.parked_) return;
  task.parked_ = false;
  boost::fibers::context::active()->schedule(task.context_);
}

void FiberGroup::unwind(FiberTask& task) {
  task.unwinding_ = true;
  wake(task);
}

std::size_t FiberGroup::unwind_all() {
  if (tasks_.empty()) return 0;
  for (const auto& task : tasks_) unwind(*task);
  run();
  const auto refused = tasks_.size();
  for (auto& task : tasks_) {
    expect(task->parked_, "a fiber that was told to unwind has ended or is parked for good");
    task->context_->worker_unlink();  // else the thread could never end
    task.release();                   // its stack refers to it for ever
  }
  tasks_.clear();
  return refused;
}

}  // namespace bobbin
