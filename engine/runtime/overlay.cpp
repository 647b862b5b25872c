#include "engine/runtime/overlay.hpp"

#include <bobbin/assert.hpp>
#include <bobbin/damage.hpp>

#include <algorithm>
#include <limits>

namespace bobbin {

namespace {

// Stays in memory until its row is gone.
constexpr Lsn row_is_to_go = std::numeric_limits<Lsn>::max();

// Of its row in the store, about.
std::size_t bytes_of(const InstanceState& state) {
  return 256 + state.name.key.size() + 16 * state.backlog.size() + 64 * state.unread.size() + 16 * state.timers.size() +
         96 * state.activities.size();
}

}  // namespace

Instance* Overlay::resident_row(const InstanceId& id) {
  if (latest_ && latest_->state.id == id) return latest_;
  const auto at = instances_.find(id);
  if (at == instances_.end()) return nullptr;
  latest_ = at->second.get();
  return latest_;
}

Instance* Overlay::find(const InstanceId& id) {
  if (auto* known = resident_row(id)) return known;
  auto row = store_.snapshot()->instance(id);
  if (!row) return nullptr;
  auto& instance = own(id);
  instance.state = std::move(*row);
  unfinished_.returns(instance);
  written_.push_back({0, id});  // stored already: forgotten unless somebody needs it
  return &instance;
}

Instance& Overlay::own(const InstanceId& id) {
  auto& slot = instances_[id];
  slot = std::make_unique<Instance>();
  slot->state.id = id;
  return *slot;
}

InstanceState& Overlay::instance(const InstanceId& id) {
  if (auto* known = find(id)) return known->state;
  return own(id).state;
}

Ledger& Overlay::ledger(const std::string& orchestrator) {
  const auto [at, is_new] = ledgers_.try_emplace(orchestrator);
  if (is_new) at->second.orchestrator = orchestrator;
  return at->second;
}

void Overlay::load_ledgers() {
  for (auto& ledger : store_.snapshot()->ledgers()) ledgers_[ledger.orchestrator] = std::move(ledger);
}

std::optional<DeadLetter> Overlay::find_dead_letter(Position position) {
  const auto at = dead_letters_.find(position);
  return at != dead_letters_.end() ? at->second : store_.snapshot()->dead_letter(position);
}

DeadLetter& Overlay::dead_letter(Position position) {
  const auto at = dead_letters_.find(position);
  if (at != dead_letters_.end()) return at->second;
  auto stored = store_.snapshot()->dead_letter(position);
  return dead_letters_[position] = stored ? std::move(*stored) : DeadLetter{};
}

void Overlay::note(const Record& record) {
  if (std::holds_alternative<OpenedBody>(record.body)) openings_.push_back(record.lsn);
  if (record.instance == InstanceId{}) return;
  if (auto* instance = resident_row(record.instance)) unfinished_.note(*instance, record);
}

void Overlay::changed(InstanceState& state) {
  auto& instance = *resident_row(state.id);
  if (instance.dirty_since != 0) return;
  instance.dirty_since = state.lsn;
  if (instance.row_in == row_is_to_go) used_again_.push_back(state.id);
  dirty_.push_back({state.lsn, state.id});
}

void Overlay::changed(Ledger& ledger) { dirty_ledgers_.try_emplace(ledger.orchestrator, ledger.lsn); }

void Overlay::changed(DeadLetter& letter) { changed_dead_letters_.push_back(letter.position); }

void Overlay::forget(const InstanceId& id, Lsn lsn) {
  Instance* instance = nullptr;
  damage_met_in([&] { instance = find(id); });  // a damaged row stays, for verify to name
  if (!instance || instance->state.lsn != lsn || instance->dirty_since != 0 || !instance->idle()) return;
  if (instance->state.live() || !instance->state.unread.empty()) return;
  instance->state = {};
  instance->state.id = id;
  instance->armed.reset();
  instance->row_in = row_is_to_go;
  forgotten_.push_back(id);
}

void Overlay::add_forgotten(Batch& batch, std::size_t most) {
  for (; !forgotten_.empty() && batch.forgotten.size() < most; forgotten_.pop_front()) {
    const auto* instance = resident_row(forgotten_.front());
    if (instance && instance->row_in == row_is_to_go) batch.forgotten.push_back(forgotten_.front());
  }
}

void Overlay::add_used_again(Batch& batch) {
  batch.forgotten.insert(batch.forgotten.end(), used_again_.begin(), used_again_.end());
  used_again_.clear();
}

void Overlay::forget_later(const Batch& batch) {
  forgotten_.insert(forgotten_.end(), batch.forgotten.begin(), batch.forgotten.end());
}

void Overlay::forgotten_stored(const Batch& batch) {
  for (const auto& id : batch.forgotten) {
    auto* instance = resident_row(id);
    if (!instance || instance->row_in != row_is_to_go) continue;
    instance->row_in = 0;
    let_go(id, 0);
  }
}

void Overlay::checkpoint(Batch& batch, Lsn last, Share share) {
  for (const auto position : changed_dead_letters_) {
    batch.dead_letters.push_back(dead_letters_.at(position));
    stored_dead_letters_.push_back({last, position});
  }
  changed_dead_letters_.clear();

  // When the oldest row has reached its age, all leave that have half of the usual age, so that most small commits
  // carry no row at all.
  if (share.batches == 1) end_stretch();
  if (stretch_.empty() && !dirty_.empty() && dirty_.front().since <= share.old) leaving_through_ = share.half_old;
  std::size_t bytes = 0;
  while (batch.instances.size() < share.rows && bytes < share.bytes) {
    if (stretch_.empty()) begin_stretch(share);
    if (stretch_.empty()) break;
    auto* instance = dirty_instance(stretch_.back());
    stretch_.pop_back();
    if (!instance) continue;
    batch.instances.push_back(instance->state);
    bytes += bytes_of(instance->state);
    instance->dirty_since = 0;
    instance->row_in = last;
    unfinished_.row_leaves(*instance);
    written_.push_back({last, instance->state.id});
  }
  std::sort(batch.instances.begin(), batch.instances.end(),
            [](const InstanceState& a, const InstanceState& b) { return a.id < b.id; });

  const auto old_ledger = [&](const auto& ledger) { return ledger.second <= share.half_old; };
  if (batch.instances.empty() && std::none_of(dirty_ledgers_.begin(), dirty_ledgers_.end(), old_ledger)) return;
  for (const auto& [name, since] : dirty_ledgers_) batch.ledgers.push_back(ledgers_.at(name));
  dirty_ledgers_.clear();
}

// The oldest rows, in the order of the table, so that rows of one page leave together.
void Overlay::begin_stretch(const Share& share) {
  std::size_t bytes = 0;
  while (!dirty_.empty() && dirty_.front().since <= leaving_through_) {
    if (stretch_.size() >= share.batches * share.rows || bytes >= share.batches * share.bytes) break;
    if (const auto* instance = dirty_instance(dirty_.front())) {
      if (stretch_.empty()) stretch_since_ = instance->dirty_since;
      stretch_.push_back(dirty_.front());
      bytes += bytes_of(instance->state);
    }
    dirty_.pop_front();
  }
  std::sort(stretch_.begin(), stretch_.end(), [](const Dirty& a, const Dirty& b) { return b.id < a.id; });
}

// What has not left is dirty as before.
void Overlay::end_stretch() {
  std::sort(stretch_.begin(), stretch_.end(), [](const Dirty& a, const Dirty& b) { return a.since < b.since; });
  dirty_.insert(dirty_.begin(), stretch_.begin(), stretch_.end());
  stretch_.clear();
}

Instance* Overlay::dirty_instance(const Dirty& entry) {
  auto* instance = resident_row(entry.id);
  return instance && instance->dirty_since == entry.since ? instance : nullptr;
}

LogState Overlay::log_state_before(Lsn fold_from) const {
  auto state = log_state_;
  state.lsn = fold_from - 1;
  for (const auto opening : openings_) state.opens -= opening >= fold_from;
  return state;
}

Lsn Overlay::oldest_dirty(Lsn last) const {
  Lsn oldest = dirty_.empty() ? last + 1 : dirty_.front().since;
  if (!stretch_.empty()) oldest = stretch_since_;
  for (const auto& [name, since] : dirty_ledgers_) oldest = std::min(oldest, since);
  return oldest;
}

void Overlay::let_go_of_stored(Lsn durable) {
  for (; !written_.empty() && written_.front().row_in <= durable; written_.pop_front())
    let_go(written_.front().id, durable);
  for (; !stored_dead_letters_.empty() && stored_dead_letters_.front().first <= durable;
       stored_dead_letters_.pop_front()) {
    const auto at = dead_letters_.find(stored_dead_letters_.front().second);
    if (at != dead_letters_.end() && at->second.lsn <= durable) dead_letters_.erase(at);
  }
}

void Overlay::let_go(const InstanceId& id, Lsn durable) {
  const auto at = instances_.find(id);
  if (at == instances_.end()) return;
  const auto& instance = *at->second;
  if (!instance.idle() || instance.dirty_since != 0 || instance.row_in > durable) return;
  latest_ = nullptr;
  unfinished_.leaves(instance);
  instances_.erase(at);
}

void Overlay::for_each(const std::function<void(Instance&)>& visit) {
  for (auto& [id, instance] : instances_) visit(*instance);
}

}  // namespace bobbin
