// Batches that serve again: what was written is emptied on the completion lane, as it takes the orchestrator a
// twentieth of its time to let go of records that have left its cache.
#pragma once

#include "engine/runtime/log_writer.hpp"

#include <memory>
#include <mutex>
#include <vector>

namespace bobbin {

class BatchPool {
 public:
  explicit BatchPool(Executor& executor) : executor_(executor) {}

  // Orchestrator lane.
  std::shared_ptr<SealedBatch> take();
  // Orchestrator lane: nobody else looks at it any more.
  void give_back(std::shared_ptr<SealedBatch> batch);

  // The completion lane's work.
  void work();

 private:
  Executor& executor_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<SealedBatch>> spent_;
  std::vector<std::shared_ptr<SealedBatch>> empty_;
};

}  // namespace bobbin
