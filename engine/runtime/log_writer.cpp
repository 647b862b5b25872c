#include "engine/runtime/log_writer.hpp"

namespace bobbin {

LogWriter::LogWriter(Store& store, Completions& completions, Executor& executor, Lsn durable,
                     std::function<void(const ErrorInfo&)> failed)
    : store_(store), completions_(completions), executor_(executor), failed_(std::move(failed)), durable_(durable) {}

void LogWriter::submit(std::shared_ptr<SealedBatch> batch) {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(batch));
  }
  executor_.wake(Lane::writer);
}

std::size_t LogWriter::queued() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

std::shared_ptr<SealedBatch> LogWriter::front() const {
  const std::lock_guard lock(mutex_);
  return queue_.empty() ? nullptr : queue_.front();
}

void LogWriter::work() {
  while (const auto batch = front()) {
    write(*batch);
    completions_.release(std::move(batch->completions), failure());
    {
      const std::lock_guard lock(mutex_);
      queue_.pop_front();
    }
    executor_.wake(Lane::orchestrator);
  }
}

void LogWriter::write(SealedBatch& batch) {
  if (has_failed() || batch.batch.empty()) return;
  try {
    store_.commit(batch.batch);
    commits_.fetch_add(1, std::memory_order_relaxed);
    if (batch.last_lsn() != 0) durable_.store(batch.last_lsn(), std::memory_order_release);
  } catch (...) {
    // Whatever it was: without this commit the engine's memory is ahead of its log, so nothing may follow.
    auto error = current_error();
    if (error.code != ErrorCode::storage_full) error.code = ErrorCode::outcome_unknown;
    poison(error);
    failed_(error);
  }
}

void LogWriter::poison(ErrorInfo error) {
  const std::lock_guard lock(mutex_);
  if (!failure_) failure_ = std::move(error);
  has_failed_.store(true, std::memory_order_release);
}

ErrorInfo LogWriter::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

}  // namespace bobbin
