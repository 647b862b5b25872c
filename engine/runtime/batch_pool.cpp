#include "engine/runtime/batch_pool.hpp"

#include <utility>

namespace bobbin {

namespace {

constexpr std::size_t empty_max = 2;
// A smaller one is emptied at once, rather than that a thread is woken for it. So is one more than these, which wait
// behind somebody's callback.
constexpr std::size_t records_worth_waking = 64;
constexpr std::size_t spent_max = 4;

void clear(SealedBatch& sealed) {
  sealed.batch.clear();
  sealed.done = {};
  sealed.written = false;
}

}  // namespace

std::shared_ptr<SealedBatch> BatchPool::take() {
  const std::lock_guard lock(mutex_);
  if (empty_.empty()) return std::make_shared<SealedBatch>();
  auto batch = std::move(empty_.back());
  empty_.pop_back();
  return batch;
}

void BatchPool::give_back(std::shared_ptr<SealedBatch> batch) {
  const bool small = batch->batch.records.size() < records_worth_waking;
  if (small) clear(*batch);
  {
    const std::lock_guard lock(mutex_);
    if (small) {
      if (empty_.size() < empty_max) empty_.push_back(std::move(batch));
      return;
    }
    if (spent_.size() == spent_max) return;
    spent_.push_back(std::move(batch));
  }
  executor_.wake(Lane::completion);
}

void BatchPool::work() {
  for (;;) {
    std::shared_ptr<SealedBatch> batch;
    {
      const std::lock_guard lock(mutex_);
      if (spent_.empty()) return;
      batch = std::move(spent_.back());
      spent_.pop_back();
    }
    clear(*batch);
    const std::lock_guard lock(mutex_);
    if (empty_.size() < empty_max) empty_.push_back(std::move(batch));
  }
}

}  // namespace bobbin
