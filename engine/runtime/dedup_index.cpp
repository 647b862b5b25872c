#include "engine/runtime/dedup_index.hpp"

#include <bobbin/damage.hpp>

#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace bobbin {

namespace {
constexpr int buckets_a_horizon = 8;
}  // namespace

Id128 dedup_hash(const Id128& log_id, const InstanceId& instance, std::string_view dedup_id) {
  std::uint64_t seed = 0;
  std::memcpy(&seed, log_id.bytes.data(), sizeof seed);
  unsigned char input[16 + name_bytes_max];
  const auto size = std::min(dedup_id.size(), sizeof input - 16);
  std::memcpy(input, instance.bytes.data(), 16);
  std::memcpy(input + 16, dedup_id.data(), size);
  const auto hash = XXH3_128bits_withSeed(input, 16 + size, seed);
  Id128 id;
  std::memcpy(id.bytes.data(), &hash.low64, 8);
  std::memcpy(id.bytes.data() + 8, &hash.high64, 8);
  return id;
}

DedupIndex::DedupIndex(Store& store, const Tail& tail, Limits limits) : store_(store), tail_(tail), limits_(limits) {
  for (const auto& run : store_.snapshot()->dedup_runs()) {
    stored_.push_back({run, true});
    ids_ += run.entries;
    stored_up_to_ = std::max(stored_up_to_, run.last_lsn);
  }
  loaded_from_ = first_frozen();
}

void DedupIndex::prefetch(const Id128& hash) const {
  fresh_.prefetch(hash);
  tags_.prefetch(hash);
  loaded_tags_.prefetch(hash);
}

std::optional<DedupEntry> DedupIndex::find(const Id128& hash) {
  if (const auto* entry = fresh_.find(hash)) return *entry;
  const auto look = [&](std::uint32_t number) { return find_in_run(hash, number); };
  if (auto found = tags_.find(hash, look)) return found;
  if (auto found = loaded_tags_.find(hash, look)) return found;
  if (runs_unread() == 0 && damaged_.empty()) return std::nullopt;
  const auto snapshot = store_.snapshot();  // one for all of them
  const auto find_in = [&](std::uint32_t number) {
    return snapshot->find_dedup(stored_[number - first_stored_].run.run, hash);
  };
  for (const auto number : damaged_)
    if (auto found = find_in(number)) return found;
  for (auto number = first_stored_; number < loaded_from_; ++number)
    if (auto found = find_in(number)) return found;
  return std::nullopt;
}

std::optional<DedupEntry> DedupIndex::find_in_run(const Id128& hash, std::uint32_t number) const {
  if (number < first_stored_ || number >= fresh_number()) return std::nullopt;
  if (number < first_frozen()) return store_.snapshot()->find_dedup(stored_[number - first_stored_].run.run, hash);
  const auto& entries = frozen_[number - first_frozen()].entries;
  const auto at = std::lower_bound(entries.begin(), entries.end(), hash,
                                   [](const DedupEntry& entry, const Id128& wanted) { return entry.hash < wanted; });
  if (at == entries.end() || at->hash != hash) return std::nullopt;
  return *at;
}

// The newest first: the oldest are dropped soon, anyway.
bool DedupIndex::load_tags(std::size_t ids) {
  std::unique_ptr<Snapshot> snapshot;
  while (runs_unread() > 0 && ids > 0) {
    if (!snapshot) snapshot = store_.snapshot();
    const auto number = loaded_from_ - 1;
    std::vector<Id128> hashes;
    const auto run = stored_[number - first_stored_].run.run;
    const auto damage = damage_met_in([&] { hashes = snapshot->dedup_hashes(run, loaded_up_to_, ids); });
    if (damage) {
      damaged_.push_back(number);
      loaded_up_to_.reset();
      loaded_from_ = number;
      throw *damage;
    }
    loaded_tags_.add(hashes, number);
    if (hashes.size() == ids) {
      loaded_up_to_ = hashes.back();
      return true;
    }
    ids -= hashes.size();
    loaded_up_to_.reset();
    loaded_from_ = number;
  }
  return runs_unread() > 0;
}

void DedupIndex::add(const DedupEntry& entry, Lsn record, Elapsed elapsed) {
  freeze_if_old(elapsed, record);
  if (fresh_.size() == 0) {
    fresh_first_lsn_ = record;
    fresh_since_ = elapsed;
  }
  fresh_.add(entry);
  tags_.add(entry.hash, fresh_number());
  last_added_ = record;
  last_added_at_ = elapsed;
  ++ids_;
  if (fresh_.size() >= limits_.ids_per_run) freeze();
}

void DedupIndex::recover(const DedupEntry& entry, Lsn record, Elapsed elapsed) {
  freeze_if_old(elapsed, record);
  if (!fresh_.find(entry.hash)) add(entry, record, elapsed);
}

// A run spans a part of the horizon only, also where few ids come: so it is dropped soon after its last one counts. And
// it holds up the tail for so long only. Whenever this is looked at, the run ends before the next id to be added:
// recovery makes the same one.
void DedupIndex::freeze_if_old(Elapsed elapsed, Lsn record) {
  if (fresh_.size() == 0) return;
  const bool is_old = elapsed - fresh_since_ >= limits_.horizon / buckets_a_horizon;
  if (is_old || tail_.weight_behind(fresh_first_lsn_ - 1, record) >= limits_.weight_per_run) freeze();
}

void DedupIndex::hurry() {
  if (frozen_.empty() && fresh_.size() > 0) freeze();
}

void DedupIndex::freeze() {
  const auto count = fresh_.size();
  // Named after its last record: when a crash cuts its writing short, folding the log again makes the same run with the
  // same chunks, which overwrite those that were written.
  Frozen frozen{{last_added_, count, last_added_, last_added_at_}, fresh_first_lsn_, fresh_.take_sorted(), 0, 0, true};
  frozen_.push_back(std::move(frozen));
}

void DedupIndex::checkpoint(Batch& batch, Lsn last, std::size_t chunks) {
  batch.dropped_dedup_runs = std::exchange(expired_, {});
  const auto unfinished =
      std::find_if(frozen_.begin(), frozen_.end(), [](const Frozen& frozen) { return frozen.complete_in == 0; });
  if (unfinished == frozen_.end()) return;
  auto& frozen = *unfinished;
  for (; chunks > 0 && frozen.written < frozen.entries.size(); --chunks) {
    const auto from = frozen.entries.begin() + static_cast<std::ptrdiff_t>(frozen.written);
    const auto count = std::min(DedupChunk::entries_together, frozen.entries.size() - frozen.written);
    batch.dedup_chunks.push_back({frozen.run.run, {from, from + static_cast<std::ptrdiff_t>(count)}});
    frozen.written += count;
  }
  if (frozen.written < frozen.entries.size()) return;
  batch.dedup_runs.push_back(frozen.run);
  frozen.complete_in = last;
}

Lsn DedupIndex::oldest_dirty(Lsn last) const {
  for (const auto& frozen : frozen_)
    if (frozen.complete_in == 0) return frozen.first_lsn;
  return fresh_.size() > 0 ? fresh_first_lsn_ : last + 1;
}

void DedupIndex::committed(Lsn durable) {
  while (!frozen_.empty() && frozen_.front().complete_in != 0 && frozen_.front().complete_in <= durable) {
    auto& frozen = frozen_.front();
    stored_.push_back({frozen.run, frozen.counted});
    stored_up_to_ = frozen.run.last_lsn;
    frozen_.pop_front();
  }
}

void DedupIndex::expire(Elapsed elapsed) {
  freeze_if_old(elapsed, tail_.last());
  const auto uncount = [&](auto& run) {
    if (run.run.newest + limits_.horizon >= elapsed) return false;
    if (std::exchange(run.counted, false)) ids_ -= run.run.entries;
    return true;
  };
  for (; !stored_.empty() && uncount(stored_.front()); stored_.pop_front(), ++first_stored_)
    expired_.push_back(stored_.front().run.run);
  tags_.drop_before(first_stored_);
  loaded_tags_.drop_before(first_stored_);
  std::erase_if(damaged_, [this](std::uint32_t number) { return number < first_stored_; });
  for (auto& frozen : frozen_)  // dropped once they are stored
    if (!uncount(frozen)) break;
}

bool DedupIndex::has_room(Elapsed elapsed) {
  if (ids_ >= limits_.ids_max) expire(elapsed);
  return ids_ < limits_.ids_max;
}

}  // namespace bobbin
