// The state of a log as of one snapshot: its rows with the tail folded over them, or everything folded from the start.
#pragma once

#include "engine/fold/fold.hpp"

#include <bobbin/inspection.hpp>

#include <map>
#include <optional>
#include <unordered_map>

namespace bobbin::inspect {

// Rows of a snapshot, loaded as the fold asks for them; without a snapshot it begins empty.
class FoldedLog final : public FoldTarget {
 public:
  FoldedLog() = default;
  // Folds the tail; the snapshot must outlive it.
  explicit FoldedLog(InspectionSnapshot& snapshot);

  InstanceState& instance(const InstanceId& id) override;
  Ledger& ledger(const std::string& orchestrator) override;
  DeadLetter& dead_letter(Position position) override;
  LogState& log_state() override { return log_state_; }
  void changed(InstanceState&) override {}
  void changed(Ledger&) override {}
  void changed(DeadLetter&) override {}

  // The instance's state; empty if the log knows no such instance.
  std::optional<InstanceState> find(const InstanceId& id);
  // By id: up to `limit` after `after`.
  std::vector<InstanceState> list(const std::optional<InstanceId>& after, std::size_t limit);
  const std::map<InstanceId, InstanceState>& changed_instances() const { return instances_; }
  const std::map<std::string, Ledger>& ledgers() const { return ledgers_; }
  const std::map<Position, DeadLetter>& dead_letters() const { return dead_letters_; }

 private:
  InspectionSnapshot* snapshot_ = nullptr;
  LogState log_state_;
  std::map<InstanceId, InstanceState> instances_;  // changed by the tail
  std::map<std::string, Ledger> ledgers_;
  std::map<Position, DeadLetter> dead_letters_;
};

}  // namespace bobbin::inspect
