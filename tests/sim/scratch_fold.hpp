// The fold of everything ever committed, from scratch: what stored rows and the engine's rows in memory must equal.
#pragma once

#include "engine/fold/fold.hpp"
#include "tests/sim/verdict.hpp"

#include <bobbin/store.hpp>

#include <map>
#include <string>

namespace bobbin::sim {

class ScratchFold final : public FoldTarget {
 public:
  void add(const Record& record) { fold(record, *this); }
  // Rows stand for it already.
  void add_to_log_state(const Record& record) { fold_log_state(record, state_); }
  // A row that retention took away: the instance is as if it had never been.
  void forget(const InstanceId& id) { instances_.erase(id); }

  // Rows as a store holds them: the beginning of what recovery folds.
  static ScratchFold of_rows(Snapshot& snapshot, const LogState& state);

  // Says where `found` is another state than this one. `forgettable`: the row of that instance may be missing.
  void compare(const ScratchFold& found, const std::string& who, Verdict& verdict) const;
  void compare(const std::vector<InstanceState>& found, const std::string& who, Verdict& verdict) const;
  const std::map<InstanceId, InstanceState>& instances() const { return instances_; }
  const std::map<std::string, Ledger>& ledgers() const { return ledgers_; }
  const std::map<Position, DeadLetter>& dead_letters() const { return letters_; }

  // ---- FoldTarget ----
  InstanceState& instance(const InstanceId& id) override;
  Ledger& ledger(const std::string& orchestrator) override;
  DeadLetter& dead_letter(Position position) override { return letters_[position]; }
  LogState& log_state() override { return state_; }
  void changed(InstanceState&) override {}
  void changed(Ledger&) override {}
  void changed(DeadLetter&) override {}

 private:
  std::map<InstanceId, InstanceState> instances_;
  std::map<std::string, Ledger> ledgers_;
  std::map<Position, DeadLetter> letters_;
  LogState state_;
};

}  // namespace bobbin::sim
