// Retention (S28): tells the store how much history may go, and forgets instances of which nothing is left. A share of
// the purge rides on commits that are made anyway, once enough has gathered; an idle engine makes some for it.
#pragma once

#include "engine/runtime/log_clock.hpp"
#include "engine/runtime/overlay.hpp"

#include <bobbin/options.hpp>
#include <bobbin/store.hpp>

namespace bobbin {

// Orchestrator lane only.
class Purge {
 public:
  // For each record that is appended, so many may be looked at, and their rows be deleted: the purge outruns the load.
  static constexpr std::uint64_t looked_at_per_record = 4;

  Purge(Overlay& overlay, const LogClock& clock, const EngineOptions& options)
      : overlay_(overlay), clock_(clock), options_(options) {}

  // Adds an order to the batch if it is worth one, and no row is to be deleted first; to an empty batch when next() has
  // come. `fold_from`: recovery begins there once the batch is durable.
  void add_order(Batch& batch, Lsn fold_from);
  // The instance's history is to go, however young it is.
  void mark(Lsn from, Lsn through);
  // An order for a commit of its own, while a batch waits for room; empty: nothing is old. `fold_from`: recovery begins
  // there now.
  std::optional<PurgeOrder> relief(Lsn fold_from) const;
  // What a commit did: a batch's, or one that relieved it.
  void done(const Committed& committed);
  void relieved(const Committed& committed);
  // At an open: takes up what purges before it left over, some of it; says whether more is left.
  bool take_up_leftovers(Store& store, std::size_t most);
  // No row that was named is to be deleted any more, once the batch is written: then it drops the names. Not while a
  // relief is under way.
  void drop_names(Batch& batch);
  // From now on there are no orders.
  void stop() { stopped_ = true; }
  std::uint64_t purged() const { return purged_; }
  // When an idle engine is to make a commit for it; empty: not before other work comes.
  std::optional<LogTime> next() const;

 private:
  struct Marked {  // a stretch of the log with instances that are marked
    Lsn from = 0;
    Lsn through = 0;  // 0: none
  };
  void note(const Committed& committed);
  bool something_is_old() const;
  // Once the stored rows say so.
  bool something_is_marked() const { return marked_now_.through != 0 && below_ > marked_now_.through; }

  Overlay& overlay_;
  const LogClock& clock_;
  const EngineOptions& options_;
  std::uint64_t purged_ = 0;  // records since the open
  std::uint64_t credit_ = 0;  // records that may be looked at
  bool ordered_ = false;      // an order is under way
  bool stopped_ = false;
  bool rests_ = false;
  bool names_stand_ = false;  // in the store, of rows to go
  bool took_up_ = false;
  std::vector<Committed::Ended> left_over_;  // before the open, and not taken up yet
  bool kept_ = false;                        // something old was needed when a purge came by
  std::optional<Elapsed> young_;             // age of the oldest record that was too young
  Elapsed again_at_{};                       // when to look at what was kept
  LogTime idle_at_{};                        // when an idle engine may order next
  Marked marked_now_;                        // being passed over
  Marked marked_next_;                       // after that
  Lsn below_ = 0;                            // stored rows stand for all records below, which recovery needs no more
};

}  // namespace bobbin
