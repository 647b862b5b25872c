// Purging (S28): passes over the log from its low end, a bounded number of records a commit, and deletes those that
// nothing needs any more. Going by LSN is some fifty times as fast as following the runs.
#pragma once

#include "storage/log/parts.hpp"
#include "storage/log/table.hpp"

#include <bobbin/store.hpp>

namespace bobbin::storage {

class Sweep {
 public:
  // Does a part of the work and reports it in `done`. `last` is the newest record: it stays, for the chain's sake. What
  // the sweep knows counts only once the transaction is committed: keep a copy until then.
  void run(Writer& writer, const PurgeOrder& order, Lsn last, Committed& done);

 private:
  // From here on records were too young, or not looked at yet.
  Lsn frontier_ = 0;
  // The pass over what was kept below the frontier; 0: none is under way.
  Lsn revisit_ = 0;
  // The pass over instances that are marked; 0: none is under way.
  Lsn marked_ = 0;
};

// To be called for each dead letter that is written: its payload's record stays until it is settled, its row a while
// longer.
void update_holds(Writer& writer, const DeadLetter& letter);

}  // namespace bobbin::storage
