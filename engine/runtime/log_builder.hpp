// The end of the log, in memory: gives records their LSN, folds them, and gathers them with their answers into the
// batch that is committed next.
#pragma once

#include "engine/runtime/batch_pool.hpp"
#include "engine/runtime/dedup_index.hpp"
#include "engine/runtime/log_clock.hpp"
#include "engine/runtime/overlay.hpp"
#include "engine/runtime/purge.hpp"
#include "engine/runtime/tail.hpp"

#include <bobbin/options.hpp>

#include <deque>
#include <unordered_set>

namespace bobbin {

// Orchestrator lane only.
class LogBuilder {
 public:
  // Damaged rows that are written anew are told to `on_written_over`.
  LogBuilder(Store& store, Overlay& overlay, DedupIndex& dedup, Purge& purge, Tail& tail, const LogClock& clock,
             const EngineOptions& options, BatchPool& batches, Lsn last, DamageVisitor on_written_over);

  Lsn last_lsn() const { return last_; }
  Lsn next_lsn() const { return last_ + 1; }
  // Of all records appended since the open, with what their rows take: an estimate.
  std::uint64_t bytes() const { return bytes_; }

  // Appends a record of the instance's run and folds it. A StartInput makes the record the start of a run; without one
  // it belongs to the live run, or to none. Schemas that the log lacks follow it. Returns its LSN.
  Lsn append(const InstanceId& instance, RecordBody body);
  // A record of the engine itself.
  Lsn append(RecordBody body) { return append(InstanceId{}, std::move(body)); }

  // The answer goes out once everything appended so far is durable.
  template <class T>
  void answer(Reply<T> reply, Result<T> result) {
    open_bytes_ += bytes_of(result.value);
    open_->completions.push_back(Completion::of(std::move(reply), std::move(result)));
  }

  bool empty() const { return open_->batch.records.empty() && open_->completions.empty(); }
  // The open batch is to be committed before anything else is taken in: it is large in records, payloads or answers,
  // which need no record (S25), or the tail has come near what P9 allows.
  bool full() const;
  std::size_t records() const { return open_->batch.records.size(); }
  // While the disk is full, checkpoints leave nothing behind that keeps history from being purged.
  void hurry(bool on);
  // Whether more batches would do so; each needs a record.
  bool is_behind() const { return tail_weight() > tail_left_in_hurry && !nothing_left_; }
  // The open batch with its share of checkpoint and purge; a new one begins. One without records is for purges and the
  // rows that they leave over.
  std::shared_ptr<SealedBatch> seal();

  // The record, from memory if it is not durable yet, else from the store; null if there is none.
  std::shared_ptr<const Record> fetch(Lsn lsn);
  // The record, if it is of the batch that is not sealed yet; as it is until the next append.
  const Record* newest(Lsn lsn) const;
  // What may go before a batch that waits for room is tried again: history, as the store stands without that batch, or
  // rows of what went before. May be empty.
  Batch relief();
  void relieved(const LogWriter::Relief& relief);
  // To be called as batches are written.
  void committed();
  Lsn fold_from() const { return fold_from_; }

 private:
  static constexpr std::uint64_t tail_left_in_hurry = 512;

  // Of an answer beyond its own size.
  template <class T>
  static std::size_t bytes_of(const T&) {
    return 0;
  }
  template <class Row>
  static std::size_t bytes_of(const std::vector<Row>& rows) {
    return rows.size() * sizeof(Row);
  }

  void add(Record record);
  void add_missing_schemas(const Record& record);
  void add_schema(const PayloadPtr& payload);
  void checkpoint(Batch& batch);
  std::uint64_t age_while_few_are_dirty() const;  // at which rows leave, as weight of the tail
  std::uint64_t tail_weight() const;              // of what recovery would fold

  Store& store_;
  Overlay& overlay_;
  DedupIndex& dedup_;
  Purge& purge_;
  Tail& tail_;
  const LogClock& clock_;
  const EngineOptions& options_;
  BatchPool& batches_;
  const DamageVisitor on_written_over_;
  Lsn last_;
  Lsn fold_from_;
  Lsn rows_from_;
  std::shared_ptr<SealedBatch> open_;
  std::size_t open_bytes_ = 0;
  std::uint64_t bytes_ = 0;
  bool hurried_ = false;
  bool relieving_ = false;
  std::size_t relief_rows_;    // that the next relief deletes: fewer where they did not fit
  bool nothing_left_ = false;  // of what the last hurried checkpoint could have written
  std::deque<std::shared_ptr<SealedBatch>> in_flight_;
  std::unordered_set<std::uint64_t> known_schemas_;
};

}  // namespace bobbin
