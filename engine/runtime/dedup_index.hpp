// Dedup memory (S13): which dedup ids were accepted within the horizon. The newest are in memory and in the log's
// tail; older ones stand in immutable sorted runs in the store, written a few chunks a batch. Tags in memory say which
// run an id may be in; those of runs of before the open are read in the background, and until then each is looked up.
#pragma once

#include "engine/runtime/dedup_table.hpp"
#include "engine/runtime/dedup_tags.hpp"
#include "engine/runtime/tail.hpp"

#include <bobbin/store.hpp>

#include <deque>
#include <optional>
#include <vector>

namespace bobbin {

// What names a dedup id: the instance and the id, hashed with the log's own id.
Id128 dedup_hash(const Id128& log_id, const InstanceId& instance, std::string_view dedup_id);

// Orchestrator lane only.
class DedupIndex {
 public:
  struct Limits {
    Elapsed horizon;
    std::size_t ids_max;
    std::size_t ids_per_run;
    std::uint64_t weight_per_run;  // of the records that hold them
  };
  DedupIndex(Store& store, const Tail& tail, Limits limits);

  // The first acceptance within the horizon.
  std::optional<DedupEntry> find(const Id128& hash);
  // find() of it is about to come.
  void prefetch(const Id128& hash) const;
  // False: the memory is at its bound, the id cannot be remembered and must not be accepted.
  bool has_room(Elapsed elapsed);
  // `record` holds the id: folding the log from it on finds the id again.
  void add(const DedupEntry& entry, Lsn record, Elapsed elapsed);
  // Recovery: as add, for an id of the log's tail, and nothing is looked up in the store. An id that stands in the tail
  // twice was beyond the horizon when it came again: the newer acceptance counts.
  void recover(const DedupEntry& entry, Lsn record, Elapsed elapsed);
  // Recovery: records up to here are in stored runs.
  Lsn stored_up_to() const { return stored_up_to_; }

  // Reads tags of up to `ids` stored ids. False: all have been read. Throws Corrupt at a damaged one: ids are looked up
  // in its run, and the next call goes on with the run before.
  bool load_tags(std::size_t ids);
  // Runs in which each new id is looked up, as their tags have not been read.
  std::size_t runs_unread() const { return loaded_from_ > first_stored_ ? loaded_from_ - first_stored_ : 0; }

  // The ids in memory are to go with the next checkpoints, be they few and young.
  void hurry();
  // Adds up to `chunks` chunks, and the row of a run when it is complete, to the batch whose last record is `last`.
  void checkpoint(Batch& batch, Lsn last, std::size_t chunks);
  // The first record whose id is in memory only; `last` + 1 if none.
  Lsn oldest_dirty(Lsn last) const;
  void committed(Lsn durable);
  // Runs beyond the horizon no longer count, nor against the bound.
  void expire(Elapsed elapsed);

 private:
  // Runs are numbered in the order of their ids: the stored, the frozen, the fresh one.
  struct Stored {
    DedupRun run;
    bool counted = true;  // against the bound
  };
  struct Frozen {  // on its way to the store
    DedupRun run;
    Lsn first_lsn;
    std::vector<DedupEntry> entries;  // sorted by hash
    std::size_t written = 0;
    Lsn complete_in = 0;  // last record of the batch with its row
    bool counted = true;
  };
  std::optional<DedupEntry> find_in_run(const Id128& hash, std::uint32_t number) const;
  std::uint32_t first_frozen() const { return first_stored_ + static_cast<std::uint32_t>(stored_.size()); }
  std::uint32_t fresh_number() const { return first_frozen() + static_cast<std::uint32_t>(frozen_.size()); }
  void freeze_if_old(Elapsed elapsed, Lsn record);
  void freeze();

  Store& store_;
  const Tail& tail_;
  Limits limits_;
  DedupTable fresh_;
  Lsn fresh_first_lsn_ = 0;
  Elapsed fresh_since_{};
  Lsn last_added_ = 0;
  Elapsed last_added_at_{};
  std::deque<Frozen> frozen_;
  std::deque<Stored> stored_;           // oldest first
  std::uint32_t first_stored_ = 0;      // number of the first of them
  DedupTags tags_;                      // of the ids added since the open
  DedupTags loaded_tags_;               // of those before
  std::uint32_t loaded_from_ = 0;       // runs of before the open from this number on have all their tags
  std::optional<Id128> loaded_up_to_;   // of the run before that
  std::vector<std::uint32_t> damaged_;  // of those read, runs whose tags are not all there
  std::vector<std::uint64_t> expired_;  // runs that the store is to drop
  std::size_t ids_ = 0;
  Lsn stored_up_to_ = 0;
};

}  // namespace bobbin
