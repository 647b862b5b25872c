#include "tools/inspect/folded_log.hpp"

namespace bobbin::inspect {

FoldedLog::FoldedLog(InspectionSnapshot& snapshot) : snapshot_(&snapshot) {
  const auto info = snapshot.info();
  log_state_ = info.state;
  for (auto& ledger : snapshot.ledgers()) ledgers_[ledger.orchestrator] = std::move(ledger);
  snapshot.scan(info.fold_from, [this](Record&& record) {
    fold(record, *this);
    return true;
  });
}

InstanceState& FoldedLog::instance(const InstanceId& id) {
  const auto [at, fresh] = instances_.try_emplace(id);
  if (!fresh) return at->second;
  if (snapshot_)
    if (auto row = snapshot_->instance(id)) at->second = std::move(*row);
  at->second.id = id;
  return at->second;
}

Ledger& FoldedLog::ledger(const std::string& orchestrator) {
  auto& ledger = ledgers_[orchestrator];
  ledger.orchestrator = orchestrator;
  return ledger;
}

DeadLetter& FoldedLog::dead_letter(Position position) {
  const auto [at, fresh] = dead_letters_.try_emplace(position);
  if (fresh && snapshot_)
    if (auto row = snapshot_->dead_letter(position)) at->second = std::move(*row);
  return at->second;
}

std::optional<InstanceState> FoldedLog::find(const InstanceId& id) {
  const auto at = instances_.find(id);
  if (at != instances_.end()) return at->second;
  return snapshot_ ? snapshot_->instance(id) : std::nullopt;
}

std::vector<InstanceState> FoldedLog::list(const std::optional<InstanceId>& after, std::size_t limit) {
  auto stored = snapshot_ ? snapshot_->instances(after, limit) : std::vector<InstanceState>{};
  const bool more_stored = stored.size() == limit;
  std::map<InstanceId, InstanceState> page;
  auto folded = after ? instances_.upper_bound(*after) : instances_.begin();
  for (; folded != instances_.end() && (!more_stored || folded->first <= stored.back().id); ++folded)
    page.insert(*folded);
  for (auto& row : stored) page.try_emplace(row.id, std::move(row));
  std::vector<InstanceState> list;
  for (auto& [id, state] : page)
    if (list.size() < limit) list.push_back(std::move(state));
  return list;
}

}  // namespace bobbin::inspect
