#include "engine/runtime/log_writer.hpp"

#include <iterator>
#include <utility>

namespace bobbin {

namespace {

void add(std::optional<Committed>& all, Committed next) {
  if (all) {
    next.purged += all->purged;
    next.kept += all->kept;
    std::move(all->ended.begin(), all->ended.end(), std::back_inserter(next.ended));
  }
  all = std::move(next);
}

}  // namespace

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
    if (failure && !has_failed() && relieved(*batch)) failure = write(*batch);
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

void LogWriter::relieve(const PurgeOrder& order) {
  const std::lock_guard lock(mutex_);
  relief_ = order;
}

bool LogWriter::relieved(SealedBatch& batch) {
  Batch purge;
  {
    const std::lock_guard lock(mutex_);
    purge.purge = std::exchange(relief_, std::nullopt);
  }
  if (!purge.purge) return false;
  try {
    add(batch.relieved, store_.commit(purge));
    commits_.fetch_add(1, std::memory_order_relaxed);
    return true;
  } catch (const StorageFull&) {
    return false;
  } catch (...) {
    poison(current_error());
    return true;  // so that the batch's callers learn of it
  }
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
