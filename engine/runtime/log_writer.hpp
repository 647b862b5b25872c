// The log writer lane: one sealed batch at a time, one commit each; then its answers go out (P1). It also keeps room on
// the disk for what is unfinished (S26).
#pragma once

#include "engine/runtime/completions.hpp"

#include <bobbin/ports.hpp>
#include <bobbin/store.hpp>

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>

namespace bobbin {

// Immutable once sealed, but for what is the writer's: the completions, and what the commit did.
struct SealedBatch {
  Batch batch;
  std::vector<Completion> completions;
  Committed done;
  Lsn fold_from_before = 0;          // where recovery begins until it is written
  std::uint64_t bytes_up_to = 0;     // of the log up to its end, as LogBuilder counts them
  std::uint64_t reserve = 0;         // bytes for which there is to be room behind it; 0: nobody asks
  std::atomic<bool> written{false};  // from here on the builder's again

  Lsn last_lsn() const { return batch.records.empty() ? 0 : batch.records.back().lsn; }
};

class LogWriter {
 public:
  // `failed` is called once, on the lane that found out, when a commit fails or poison() is called: nothing is
  // committed after it.
  LogWriter(Store& store, Completions& completions, Executor& executor, Lsn durable,
            std::function<void(const ErrorInfo&)> failed);

  // Orchestrator lane. `waited_for`: the lane has nothing else to do until the batch is written.
  void submit(std::shared_ptr<SealedBatch> batch, bool waited_for);
  std::size_t queued() const;
  // Any lane: batches that are not being written yet are never written, and their callers get OutcomeUnknown with this
  // message (StorageFull if it is that). The first reason counts.
  void poison(ErrorInfo error);

  // What the disk has room for.
  struct Room {
    std::uint64_t up_to = 0;  // of the log, as LogBuilder counts its bytes
    bool whole = true;        // all that was asked for last
  };
  Room room() const;
  // Asks the store; the writer lane does so with each batch that wants it, and whoever opens the log before the lanes
  // start.
  void reserve(std::uint64_t bytes_up_to, std::uint64_t bytes);
  // The store had no room for a batch: it, and all behind it, is tried again with the lane's next work.
  bool waits_for_room() const { return waits_for_room_.load(std::memory_order_acquire); }

  // While it waits: before it tries again, this purge goes in a commit of its own. Orchestrator lane; one at a time.
  struct Relief {
    Batch batch;
    std::optional<Committed> done;  // empty: there was no room for it either
  };
  void relieve(Batch batch);
  // What came of it, once; nothing, if the writer did not need it.
  std::optional<Relief> take_relief();

  // The writer lane's work.
  void work();

  Lsn durable() const { return durable_.load(std::memory_order_acquire); }
  std::uint64_t commits() const { return commits_.load(std::memory_order_relaxed); }
  ErrorInfo failure() const;
  bool has_failed() const { return has_failed_.load(std::memory_order_acquire); }

 private:
  std::shared_ptr<SealedBatch> front() const;
  // Why the batch is not durable; unless the writer has failed it may be tried again.
  ErrorInfo write(SealedBatch& sealed);
  // Whether something went, so that there may be room for a batch.
  bool try_relief();
  void wait_for_room();

  Store& store_;
  Completions& completions_;
  Executor& executor_;
  std::function<void(const ErrorInfo&)> failed_;
  mutable std::mutex mutex_;
  std::deque<std::shared_ptr<SealedBatch>> queue_;  // the front one is being written
  std::atomic<Lsn> durable_;
  std::atomic<std::uint64_t> commits_{0};
  std::atomic<bool> has_failed_{false};
  std::atomic<bool> waits_for_room_{false};
  Room room_;
  std::optional<Batch> relief_;         // to be tried
  std::optional<Relief> tried_relief_;  // to be taken
  ErrorInfo failure_;
};

}  // namespace bobbin
