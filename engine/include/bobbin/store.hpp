// The store port: all that the engine asks of a log on disk. Implemented by storage/ (LMDB, memory) and by tests.
#pragma once

#include <bobbin/state.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace bobbin {

// History that may go, oldest first, in bounded steps (S28): a record when it is old enough, no live run, unread event
// or unsettled dead letter needs it, and, of an instance's last run, the run ended long enough ago.
struct PurgeOrder {
  Elapsed until{};          // what was written, and ended, at or before this
  Lsn below = 0;            // recovery folds from here: nothing at or above it
  std::size_t records = 0;  // look at no more than this
  bool again = false;       // also begin again at the low end, where what was needed may have become free
  // A pass over these looks at records of any age: those of instances whose row says so (InstanceState::purged_through)
  // go. It keeps its place from order to order until it has come to the end. 0: none.
  Lsn marked_from = 0;
  Lsn marked_through = 0;
};

// What a commit did besides.
struct Committed {
  std::uint64_t purged = 0;      // records
  bool rests = false;            // a purge stopped because of its bound
  std::uint64_t kept = 0;        // records that were old enough, but are needed
  bool marked_done = false;      // the pass over marked instances has come to its end
  std::optional<Elapsed> young;  // age of the record that a purge stopped at: too young then
  struct Ended {
    InstanceId id;
    Lsn lsn;  // its row's
  };
  std::vector<Ended> ended;             // instances without a live run or unread event whose last record was purged
  std::vector<ErrorInfo> written_over;  // damaged rows of instances that the batch replaced or removed
};

// One commit. Rows stand for the state after the batch's last record or an earlier durable one, never a later one.
struct Batch {
  std::vector<Record> records;        // consecutive LSNs
  std::vector<InstanceId> forgotten;  // rows to delete, before the others are written
  std::vector<InstanceState> instances;
  std::vector<Ledger> ledgers;
  std::vector<DeadLetter> dead_letters;
  std::vector<DedupChunk> dedup_chunks;
  std::vector<DedupRun> dedup_runs;
  std::vector<std::uint64_t> dropped_dedup_runs;
  std::optional<LogState> log_state;
  std::optional<PurgeOrder> purge;
  bool leftovers_gone = false;  // rows of all that was `ended` when the batch was made are gone, or go with it
  // Recovery may begin folding at `fold_from`; rows of instances and ledgers lack no record before `rows_from`, which
  // is not before it. 0: as before.
  Lsn fold_from = 0;
  Lsn rows_from = 0;

  bool empty() const {
    return records.empty() && forgotten.empty() && !purge && instances.empty() && ledgers.empty() &&
           dead_letters.empty() && dedup_chunks.empty() && dedup_runs.empty() && dropped_dedup_runs.empty() &&
           !log_state;
  }
  void clear();
};

struct LogInfo {
  Id128 log_id;  // random, of the log's creation
  Id128 epoch;   // random, of its creation or restoration
  Lsn first_lsn = 1;
  Lsn last_lsn = 0;       // 0: empty
  Lsn fold_from = 1;      // rows, and dedup runs, hold everything before this record
  Lsn rows_from = 1;      // rows of instances and ledgers do before this one
  std::uint64_t due = 0;  // rows of instances that have something to do without new input; 0 also if it is not known
  LogState state;         // as last checkpointed
};

// An instance whose next timer, retry or unfinished work is due; zero means "has work now".
struct DueEntry {
  LogTime due{};
  InstanceId id;
  auto operator<=>(const DueEntry&) const = default;
};

// When the mailbox's first event expires, in elapsed time; empty: none waits, or a run is live.
std::optional<Elapsed> first_expiry(const InstanceState& state);

// The earliest time at which an instance has something to do without a new input; empty: never. A quarantined one has:
// to be tried again at the next open.
std::optional<LogTime> next_due(const InstanceState& state);

// Is told of a damaged row; the message names it.
using DamageVisitor = std::function<void(const ErrorInfo&)>;

// A consistent view of everything committed. Holds no locks that stop a writer; keep it short: the log cannot reuse
// pages that it sees. One thread at a time. Returned values are owned copies. All throw Corrupt (naming the record
// or row) for bytes that are not what was written, CorruptLog when the structure around them is broken, and
// UnsupportedFormat for members of a newer format.
class Snapshot {
 public:
  virtual ~Snapshot() = default;

  virtual std::optional<Record> record(Lsn lsn) = 0;
  // Records from `from` on, in order, until `visit` returns false.
  virtual void scan(Lsn from, const std::function<bool(Record&&)>& visit) = 0;

  virtual std::optional<InstanceState> instance(const InstanceId& id) = 0;
  // Up to `limit` rows with an id after `after` (empty: from the beginning), by id.
  virtual std::vector<InstanceState> instances(const std::optional<InstanceId>& after, std::size_t limit) = 0;
  // Up to `limit` entries after `after` (empty: from the beginning), earliest first. Damaged ones are told to
  // `step_over`, if there is one, while the view is open: it is to keep what it is told, and do nothing else.
  virtual std::vector<DueEntry> due(const std::optional<DueEntry>& after, std::size_t limit,
                                    const DamageVisitor& step_over = {}) = 0;

  virtual std::vector<Ledger> ledgers() = 0;
  // As due().
  virtual std::vector<DeadLetter> dead_letters(Position after, std::size_t limit,
                                               const DamageVisitor& step_over = {}) = 0;
  virtual std::optional<DeadLetter> dead_letter(Position position) = 0;
  virtual std::optional<Schema> schema(std::uint64_t hash) = 0;

  virtual std::vector<DedupRun> dedup_runs() = 0;
  // Hashes of up to `limit` entries of a run after `after` (empty: from the beginning), in order.
  virtual std::vector<Id128> dedup_hashes(std::uint64_t run, const std::optional<Id128>& after, std::size_t limit) = 0;
  virtual std::optional<DedupEntry> find_dedup(std::uint64_t run, const Id128& hash) = 0;

  // What commits have told as `ended`, purge by purge, until a batch with `leftovers_gone` came that was made later.
  // Whether a row still stands, and as it was, is for the caller to see.
  virtual std::vector<Committed::Ended> leftovers() = 0;
};

class Store {
 public:
  virtual ~Store() = default;

  // State at opening; not updated by commits.
  virtual LogInfo info() const = 0;

  // Durable and visible to new snapshots on return. One call at a time, of the log writer lane. Throws
  // StorageFull when nothing of the batch was written and the log is intact (it may be tried again), OutcomeUnknown
  // when it may or may not be durable, Corrupt or CorruptLog when what it had to look at is damaged: no commit may
  // follow these (P10).
  virtual Committed commit(const Batch& batch) = 0;

  // Sees to it, as far as the disk allows, that commits can add `bytes` of records and their rows to the log whatever
  // else happens on the disk, and returns how many they can; work that cannot be finished within them is not to be
  // begun (S26). As commit(): one call at a time, of the log writer lane. Without an answer of its own a log is one
  // that grows without bounds.
  virtual std::uint64_t reserve(std::uint64_t bytes) {
    static_cast<void>(bytes);
    return unbounded;
  }
  static constexpr std::uint64_t unbounded = std::uint64_t{1} << 62;

  // Any thread. A snapshot may be used on the thread that asked for it.
  virtual std::unique_ptr<Snapshot> snapshot() = 0;
};

}  // namespace bobbin
