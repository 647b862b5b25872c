#include "engine/runtime/log_writer.hpp"

#include <utility>

namespace bobbin {

LogWriter::LogWriter(Store& store, Completions& completions, Executor& executor, Lsn durable,
                     std::function<void(const ErrorInfo&)> failed)
    : store_(store), completions_(completions), executor_(executor), failed_(std::move(failed)), durable_(durable) {}

void LogWriter::submit(std::shared_ptr<SealedBatch> batch, bool waited_for) {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(batch));
  }
  if (waited_for)
    executor_.pass_on(Lane::orchestrator, Lane::writer);
  else
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
    // Once it is written, the batch is the builder's again.
    auto completions = std::move(batch->completions);
    const auto bytes_up_to = batch->bytes_up_to;
    const auto to_reserve = batch->reserve;
    auto failure = write(*batch);
    if (failure && !has_failed() && (try_relief() || has_failed())) failure = write(*batch);
    if (failure && !has_failed()) {
      batch->completions = std::move(completions);
      return wait_for_room();
    }
    waits_for_room_ = false;
    completions_.release(std::move(completions), failure);
    if (!failure && to_reserve != 0) reserve(bytes_up_to, to_reserve);
    {
      const std::lock_guard lock(mutex_);
      queue_.pop_front();
    }
    executor_.wake(Lane::orchestrator);
  }
}

void LogWriter::relieve(Batch batch) {
  const std::lock_guard lock(mutex_);
  relief_ = std::move(batch);
}

std::optional<LogWriter::Relief> LogWriter::take_relief() {
  const std::lock_guard lock(mutex_);
  if (!tried_relief_ && relief_ && !waits_for_room())
    tried_relief_ = Relief{*std::exchange(relief_, std::nullopt), std::nullopt};
  return std::exchange(tried_relief_, std::nullopt);
}

bool LogWriter::try_relief() {
  Relief relief;
  {
    const std::lock_guard lock(mutex_);
    if (!relief_) return false;
    relief.batch = *std::exchange(relief_, std::nullopt);
  }
  try {
    relief.done = store_.commit(relief.batch);
    commits_.fetch_add(1, std::memory_order_relaxed);
  } catch (const StorageFull&) {  // so it goes on waiting
  } catch (...) {
    poison(current_error());
  }
  const bool went = relief.done && (relief.done->purged != 0 || !relief.batch.forgotten.empty());
  const std::lock_guard lock(mutex_);
  tried_relief_ = std::move(relief);
  return went;
}

void LogWriter::wait_for_room() {
  {
    const std::lock_guard lock(mutex_);
    room_.whole = false;
  }
  waits_for_room_ = true;
  executor_.wake(Lane::orchestrator);
}

void LogWriter::reserve(std::uint64_t bytes_up_to, std::uint64_t bytes) {
  try {
    const auto room = store_.reserve(bytes);
    const std::lock_guard lock(mutex_);
    room_ = {bytes_up_to + room, room >= bytes};
  } catch (...) {
    poison(current_error());
  }
}

LogWriter::Room LogWriter::room() const {
  const std::lock_guard lock(mutex_);
  return room_;
}

ErrorInfo LogWriter::write(SealedBatch& sealed) {
  const auto& batch = sealed.batch;
  if (has_failed()) return failure();
  if (batch.empty()) return {};
  try {
    sealed.done = store_.commit(batch);
    commits_.fetch_add(1, std::memory_order_relaxed);
    if (!batch.records.empty()) durable_.store(batch.records.back().lsn, std::memory_order_release);
    sealed.written.store(true, std::memory_order_release);
    return {};
  } catch (const StorageFull& full) {
    return full.info();  // nothing of it was written
  } catch (...) {
    // Whatever it was: without this commit the engine's memory is ahead of its log, so nothing may follow.
    poison(current_error());
    return failure();
  }
}

void LogWriter::poison(ErrorInfo error) {
  if (error.code != ErrorCode::storage_full) error.code = ErrorCode::outcome_unknown;
  {
    const std::lock_guard lock(mutex_);
    if (failure_) return;
    failure_ = error;
    has_failed_.store(true, std::memory_order_release);
  }
  executor_.wake(Lane::writer);  // which may wait for room
  failed_(error);
}

ErrorInfo LogWriter::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

}  // namespace bobbin
