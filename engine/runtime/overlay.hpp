// The rows that are in memory: those changed since they were last written, and those of instances at work. All others
// stay in the store. The fold works on it, and checkpoints take from it.
#pragma once

#include "engine/fold/fold.hpp"
#include "engine/replay/execution.hpp"
#include "engine/runtime/reply.hpp"
#include "engine/runtime/unfinished.hpp"

#include <bobbin/store.hpp>

#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <unordered_map>

namespace bobbin {

// One instance in memory. Orchestrator lane only.
struct Instance {
  InstanceState state;
  Lsn dirty_since = 0;  // first record that the stored row lacks; 0: none
  Lsn row_in = 0;       // last record of the batch that carries the newest row; the row is stored once that is durable

  std::unique_ptr<Execution> execution;          // null: not resident
  Id128 epoch;                                   // of the run, while resident
  std::list<Instance*>::iterator recently_used;  // valid while resident
  bool runnable = false;                         // in the queue of instances with work
  bool held = false;             // quarantined, damaged or without code in this open: nothing is executed
  std::optional<LogTime> armed;  // when the timer queue looks at it next
  std::vector<Reply<InstanceStatus>> end_waiters;
  Owed owed;

  bool idle() const { return !execution && !runnable && end_waiters.empty() && !held; }
};

class Overlay final : public FoldTarget {
 public:
  explicit Overlay(Store& store, LogState state) : store_(store), log_state_(state), unfinished_(store.info().due) {}

  // In memory, or loaded; null if the log knows no such instance.
  Instance* find(const InstanceId& id);
  // In memory only.
  Instance* resident_row(const InstanceId& id);
  // As it is now; empty if the log knows no such dead letter.
  std::optional<DeadLetter> find_dead_letter(Position position);
  // As if the log knew none there; the record that makes it is to follow at once.
  void begin_dead_letter(Position position) { dead_letters_[position] = {}; }

  // ---- FoldTarget ----
  InstanceState& instance(const InstanceId& id) override;
  Ledger& ledger(const std::string& orchestrator) override;
  DeadLetter& dead_letter(Position position) override;
  LogState& log_state() override { return log_state_; }
  // The state with which folding from `fold_from` must begin: openings that the tail holds are counted then.
  LogState log_state_before(Lsn fold_from) const;
  // To be told of the tail's records, once folded.
  void note(const Record& record);
  void changed(InstanceState& state) override;
  void changed(Ledger& ledger) override;
  void changed(DeadLetter& letter) override;

  // ---- Checkpoint ----
  struct Share {
    Lsn old;       // rows that have been dirty since this record are to leave
    Lsn half_old;  // when some do, all are to that have been since this one, a later one
    std::size_t rows;
    std::size_t bytes;    // about; one row goes whatever its size
    std::size_t batches;  // that a stretch may take: until it has left, recovery folds from its oldest row
  };
  // Adds to the batch, whose last record is `last`: changed dead letters, and its share of the rows that are to leave,
  // with the ledgers.
  void checkpoint(Batch& batch, Lsn last, Share share);
  std::size_t dirty_rows() const { return dirty_.size() + stretch_.size(); }
  // The first record that some stored row lacks; `last` + 1 if none.
  Lsn oldest_dirty(Lsn last) const;
  // The instance's row, if it still is that of record `lsn` and nobody needs it, is to be deleted: as if the instance
  // had never been (S28).
  void forget(const InstanceId& id, Lsn lsn);
  // Rows that are to be deleted and in no batch yet; adds some of them to a batch, which needs no record for it.
  std::size_t forgotten() const { return forgotten_.size(); }
  void add_forgotten(Batch& batch, std::size_t most);
  // The rest of those whose instances the batch's records begin anew.
  void add_used_again(Batch& batch);
  // The batch is written; or it never will be.
  void forgotten_stored(const Batch& batch);
  void forget_later(const Batch& batch);
  // Lets go of instances that are idle and whose rows are stored. To be called as records become durable.
  void let_go_of_stored(Lsn durable);
  // The instance may have become idle: let_go_of_stored() is to look at it again.
  void release(const Instance& instance) { written_.push_back({instance.row_in, instance.state.id}); }

  const std::map<std::string, Ledger>& ledgers() const { return ledgers_; }
  void load_ledgers();
  const std::map<Position, DeadLetter>& dead_letters() const { return dead_letters_; }
  const Unfinished& unfinished() const { return unfinished_; }
  std::size_t in_memory() const { return instances_.size(); }
  void for_each(const std::function<void(Instance&)>& visit);

 private:
  struct Dirty {
    Lsn since;
    InstanceId id;
  };
  struct Written {
    Lsn row_in;
    InstanceId id;
  };
  Instance& own(const InstanceId& id);
  void begin_stretch(const Share& share);
  void end_stretch();
  void let_go(const InstanceId& id, Lsn durable);
  // Null if the entry does not count any more.
  Instance* dirty_instance(const Dirty& entry);

  Store& store_;
  LogState log_state_;
  std::vector<Lsn> openings_;  // in the tail
  std::unordered_map<InstanceId, std::unique_ptr<Instance>, Id128Hash> instances_;
  Instance* latest_ = nullptr;  // looked at; a record's way leads to one instance several times
  std::map<std::string, Ledger> ledgers_;
  std::map<std::string, Lsn> dirty_ledgers_;     // since which record
  std::map<Position, DeadLetter> dead_letters_;  // changed by records that are not durable yet
  std::vector<Position> changed_dead_letters_;   // by records of the open batch
  std::deque<std::pair<Lsn, Position>> stored_dead_letters_;
  std::deque<Dirty> dirty_;             // oldest first; an entry counts while its instance is dirty since then
  Lsn leaving_through_ = 0;             // rows that have been dirty since this one or an earlier are to leave
  std::vector<Dirty> stretch_;          // those that leave next, by id, the first one last
  Lsn stretch_since_ = 0;               // of the oldest of them
  std::deque<InstanceId> forgotten_;    // rows to delete; one that was written since is none
  std::vector<InstanceId> used_again_;  // before their row was gone: no record may be committed without its deletion
  std::deque<Written> written_;         // rows on their way to the store
  Unfinished unfinished_;
};

}  // namespace bobbin
