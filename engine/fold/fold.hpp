// The fold: what the log says, as one pure function. The engine, recovery, the inspection tool and the tests all use
// it; it reads no configuration and no clock, and calls no user code.
#pragma once

#include <bobbin/state.hpp>

namespace bobbin {

// Where the fold finds the rows that a record concerns, and learns which it changed. A row that stands for a later
// record already is left as it is, so folding a record twice changes nothing.
class FoldTarget {
 public:
  virtual ~FoldTarget() = default;
  // The row, created empty if there is none (then with lsn 0 and the id set).
  virtual InstanceState& instance(const InstanceId& id) = 0;
  virtual Ledger& ledger(const std::string& orchestrator) = 0;
  // Created empty if there is none. Written with the commit of its record, never later.
  virtual DeadLetter& dead_letter(Position position) = 0;
  virtual LogState& log_state() = 0;
  // Called after a row changed.
  virtual void changed(InstanceState&) = 0;
  virtual void changed(Ledger&) = 0;
  virtual void changed(DeadLetter&) = 0;
};

void fold(const Record& record, FoldTarget& target);
// Only what it says of the log as a whole; all rows stand for it already.
void fold_log_state(const Record& record, LogState& state);

// The copy of an accepted event that `record` holds: its own or a carried one. Null if it holds none.
const Event* find_event(const Record& record, Position position);
const Event* find_event(const std::vector<Input>& inputs, Position position);
// The inputs of an accepted or turn record; empty for the other kinds.
const std::vector<Input>& inputs_of(const Record& record);

}  // namespace bobbin
