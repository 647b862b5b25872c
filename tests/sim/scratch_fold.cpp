#include "tests/sim/scratch_fold.hpp"

#include "tests/support/show.hpp"

namespace bobbin::sim {

namespace {

using testing::show;

// Whether nothing is lost when its row goes.
bool forgettable(const InstanceState& state) { return !state.live() && state.unread.empty(); }

// Without what a row loses when it is purged and comes back: an event's redrives count for nothing.
std::string state_of(DeadLetter letter) {
  if (!letter.is_activity) letter.redrives = 0;
  return show(letter);
}

}  // namespace

ScratchFold ScratchFold::of_rows(Snapshot& snapshot, const LogState& state) {
  constexpr std::size_t all = 100'000;
  ScratchFold rows;
  rows.state_ = state;
  for (auto& row : snapshot.instances(std::nullopt, all)) rows.instances_[row.id] = std::move(row);
  for (auto& row : snapshot.ledgers()) rows.ledgers_[row.orchestrator] = std::move(row);
  for (auto& row : snapshot.dead_letters({}, all)) rows.letters_[row.position] = std::move(row);
  return rows;
}

void ScratchFold::compare(const ScratchFold& found, const std::string& who, Verdict& verdict) const {
  std::vector<InstanceState> rows;
  for (const auto& [id, row] : found.instances_) rows.push_back(row);
  compare(rows, who, verdict);
  for (const auto& [name, ledger] : ledgers_) {
    const auto at = found.ledgers_.find(name);
    if (at == found.ledgers_.end() ? ledger.lsn != 0 : show(ledger) != show(at->second))
      verdict.broken(who + " has another ledger than the log: folded from scratch " + show(ledger));
  }
  for (const auto& [position, letter] : found.letters_) {
    const auto at = letters_.find(position);
    if (at == letters_.end() || state_of(at->second) != state_of(letter))
      verdict.broken(who + " has a dead letter that is not what the log says: " + show(letter));
  }
  for (const auto& [position, letter] : letters_) {
    const bool open = letter.state == DeadLetterState::dead || letter.state == DeadLetterState::redriving;
    if (open && !found.letters_.contains(position)) verdict.broken(who + " lacks a dead letter: " + show(letter));
  }
  if (state_.lsn != found.state_.lsn || state_.opens != found.state_.opens ||
      state_.log_time != found.state_.log_time || state_.elapsed != found.state_.elapsed)
    verdict.broken(who + " counts other opens or times than the log, at record " + std::to_string(state_.lsn));
}

void ScratchFold::compare(const std::vector<InstanceState>& found, const std::string& who, Verdict& verdict) const {
  std::size_t seen = 0;
  for (const auto& row : found) {
    const auto at = instances_.find(row.id);
    if (at == instances_.end())
      verdict.broken(who + " has a row of which the log knows nothing: " + show(row));
    else if (show(at->second) != show(row))
      verdict.broken(who + " is not what the log says: folded from scratch " + show(at->second) + ", found " +
                     show(row));
    ++seen;
  }
  if (seen == instances_.size()) return;
  std::map<InstanceId, bool> there;
  for (const auto& row : found) there[row.id] = true;
  for (const auto& [id, row] : instances_)
    if (!there.contains(id) && !forgettable(row)) verdict.broken(who + " lacks a row: " + show(row));
}

InstanceState& ScratchFold::instance(const InstanceId& id) {
  const auto [at, is_new] = instances_.try_emplace(id);
  if (is_new) at->second.id = id;
  return at->second;
}

Ledger& ScratchFold::ledger(const std::string& orchestrator) {
  const auto [at, is_new] = ledgers_.try_emplace(orchestrator);
  if (is_new) at->second.orchestrator = orchestrator;
  return at->second;
}

}  // namespace bobbin::sim
