#include "engine/runtime/dedup_index.hpp"

#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace bobbin {

namespace {
// A run of this many ids keeps the log's tail short, and a look-up looks at few runs.
constexpr std::size_t ids_per_run = 65'536;
constexpr std::size_t entries_per_chunk = 40;
constexpr int buckets_a_horizon = 8;
}  // namespace

Id128 dedup_hash(const Id128& log_id, const InstanceId& instance, std::string_view dedup_id) {
  std::uint64_t seed = 0;
  std::memcpy(&seed, log_id.bytes.data(), sizeof seed);
  unsigned char input[16 + 128];
  const auto size = std::min(dedup_id.size(), sizeof input - 16);
  std::memcpy(input, instance.bytes.data(), 16);
  std::memcpy(input + 16, dedup_id.data(), size);
  const auto hash = XXH3_128bits_withSeed(input, 16 + size, seed);
  Id128 id;
  std::memcpy(id.bytes.data(), &hash.low64, 8);
  std::memcpy(id.bytes.data() + 8, &hash.high64, 8);
  return id;
}

DedupIndex::DedupIndex(Store& store, Limits limits) : store_(store), limits_(limits) {
  for (const auto& run : store_.snapshot()->dedup_runs()) {
    stored_.push_back({run, std::nullopt, true});
    ids_ += run.entries;
    stored_up_to_ = std::max(stored_up_to_, run.last_lsn);
  }
}

std::optional<DedupEntry> DedupIndex::find(const Id128& hash) {
  if (const auto* entry = fresh_.find(hash)) return *entry;
  for (const auto& frozen : frozen_) {
    if (!frozen.filter.may_contain(hash)) continue;
    const auto at = std::lower_bound(frozen.entries.begin(), frozen.entries.end(), hash,
                                     [](const DedupEntry& entry, const Id128& wanted) { return entry.hash < wanted; });
    if (at != frozen.entries.end() && at->hash == hash) return *at;
  }
  std::unique_ptr<Snapshot> snapshot;
  for (const auto& stored : stored_) {
    if (stored.filter && !stored.filter->may_contain(hash)) continue;
    if (!snapshot) snapshot = store_.snapshot();
    if (auto entry = snapshot->find_dedup(stored.run.run, hash)) return entry;
  }
  return std::nullopt;
}

void DedupIndex::add(const DedupEntry& entry, Lsn record, Elapsed elapsed) {
  freeze_if_old(elapsed);
  if (fresh_.size() == 0) {
    fresh_first_lsn_ = record;
    fresh_since_ = elapsed;
  }
  fresh_.add(entry);
  last_added_ = record;
  last_added_at_ = elapsed;
  ++ids_;
  if (fresh_.size() >= ids_per_run) freeze();
}

void DedupIndex::recover(const DedupEntry& entry, Lsn record, Elapsed elapsed) {
  freeze_if_old(elapsed);
  if (!fresh_.find(entry.hash)) add(entry, record, elapsed);
}

// A run spans a part of the horizon only, also where few ids come: so it is dropped soon after its last one counts.
// Whenever this is looked at, the run ends before the next id to be added: recovery makes the same one.
void DedupIndex::freeze_if_old(Elapsed elapsed) {
  if (fresh_.size() > 0 && elapsed - fresh_since_ >= limits_.horizon / buckets_a_horizon) freeze();
}

void DedupIndex::freeze() {
  const auto count = fresh_.size();
  // Named after its last record: when a crash cuts its writing short, folding the log again makes the same run with the
  // same chunks, which overwrite those that were written.
  Frozen frozen{{last_added_, count, last_added_, last_added_at_},
                fresh_first_lsn_,
                fresh_.take_sorted(),
                0,
                0,
                DedupFilter(count),
                true};
  for (const auto& entry : frozen.entries) frozen.filter.add(entry.hash);
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
    const auto count = std::min(entries_per_chunk, frozen.entries.size() - frozen.written);
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
    stored_.push_back({frozen.run, std::move(frozen.filter), frozen.counted});
    stored_up_to_ = frozen.run.last_lsn;
    frozen_.pop_front();
  }
}

void DedupIndex::expire(Elapsed elapsed) {
  freeze_if_old(elapsed);
  const auto uncount = [&](auto& run) {
    if (run.run.newest + limits_.horizon >= elapsed) return false;
    if (std::exchange(run.counted, false)) ids_ -= run.run.entries;
    return true;
  };
  for (; !stored_.empty() && uncount(stored_.front()); stored_.pop_front()) expired_.push_back(stored_.front().run.run);
  for (auto& frozen : frozen_)  // dropped once they are stored
    if (!uncount(frozen)) break;
}

bool DedupIndex::has_room(Elapsed elapsed) {
  if (ids_ >= limits_.ids_max) expire(elapsed);
  return ids_ < limits_.ids_max;
}

}  // namespace bobbin
