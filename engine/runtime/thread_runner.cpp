#include "engine/runtime/thread_runner.hpp"

#include <pthread.h>

namespace bobbin {

ActivityOutcome run_activity(const Registry& registry, const ActivityTask& task) {
  const auto* code = registry.find_activity(task.name);
  if (task.context.cancellation.cancelled())
    return {nullptr, {ErrorCode::cancelled, {}, "activity '" + task.name + "' was cancelled before it began", false}};
  if (!code) return {nullptr, {ErrorCode::not_found, {}, "activity '" + task.name + "' is not registered", false}};
  try {
    return {(*code)(task.context, task.input), {}};
  } catch (...) {
    return {nullptr, current_error()};
  }
}

ThreadRunner::~ThreadRunner() {
  stop(Duration::zero());
  for (auto& thread : threads_) thread.join();
}

void ThreadRunner::run(ActivityTask task) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;  // as if it had been cut while it ran
    tasks_.push_back(std::move(task));
    if (busy_ + tasks_.size() > threads_.size() && threads_.size() < threads_max_)
      threads_.emplace_back([this] { work(); });
  }
  changed_.notify_one();  // unlocked: else the thread would wake up only to wait for the lock
}

void ThreadRunner::work() {
  pthread_setname_np(pthread_self(), "bobbin-activity");
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
    if (stopping_) return;
    auto task = std::move(tasks_.front());
    tasks_.pop_front();
    ++busy_;
    lock.unlock();
    task.done(run_activity(registry_, task));
    lock.lock();
    --busy_;
    if (stopping_) finished_.notify_all();
  }
}

bool ThreadRunner::stop(Duration limit) {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  tasks_.clear();
  changed_.notify_all();
  return finished_.wait_for(lock, limit, [this] { return busy_ == 0; });
}

}  // namespace bobbin
