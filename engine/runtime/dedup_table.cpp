#include "engine/runtime/dedup_table.hpp"

#include <bobbin/assert.hpp>

#include <endian.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

namespace bobbin {

namespace {

constexpr std::size_t slots_min = 1'024;

// Of other bytes than those that choose the slot.
std::uint32_t tag_of(const Id128& hash) {
  std::uint32_t tag = 0;
  std::memcpy(&tag, hash.bytes.data() + 8, sizeof tag);
  return tag;
}

// Of `count` equal stretches of all hashes, the one that the hash is in.
std::size_t stretch_of(const Id128& hash, std::size_t count) {
  std::uint32_t first_bytes = 0;
  std::memcpy(&first_bytes, hash.bytes.data(), sizeof first_bytes);
  return std::uint64_t{be32toh(first_bytes)} * count >> 32;
}

}  // namespace

// The slot that leads to the hash, or the free one where it would go.
std::size_t DedupTable::slot_of(const Id128& hash) const {
  const auto mask = slots_.size() - 1;
  const auto tag = tag_of(hash);
  auto at = Id128Hash{}(hash)&mask;
  for (; slots_[at].number != 0; at = (at + 1) & mask)
    if (slots_[at].tag == tag && entry_in(slots_[at]).hash == hash) break;
  return at;
}

const DedupEntry* DedupTable::find(const Id128& hash) const {
  if (slots_.empty()) return nullptr;
  const auto& slot = slots_[slot_of(hash)];
  return slot.number != 0 ? &entry_in(slot) : nullptr;
}

void DedupTable::prefetch(const Id128& hash) const {
  if (!slots_.empty()) __builtin_prefetch(&slots_[Id128Hash{}(hash) & (slots_.size() - 1)]);
}

void DedupTable::add(const DedupEntry& entry) {
  expect(entry.position.lsn != 0, "a dedup id is remembered with the record that accepted it");
  entries_.push_back(entry);
  if (2 * entries_.size() > slots_.size()) return fill(std::max(slots_min, 2 * slots_.size()));
  slots_[slot_of(entry.hash)] = {static_cast<std::uint32_t>(entries_.size()), tag_of(entry.hash)};
}

void DedupTable::fill(std::size_t slots) {
  slots_.assign(slots, Slot{});
  for (std::uint32_t number = 1; number <= entries_.size(); ++number) {
    const auto& hash = entries_[number - 1].hash;
    slots_[slot_of(hash)] = {number, tag_of(hash)};
  }
}

// Hashes are evenly spread: with as many stretches as entries, nearly each has one or two, and little is left to sort.
std::vector<DedupEntry> DedupTable::take_sorted() {
  const auto count = entries_.size();
  std::vector<std::uint32_t> ends(count + 1);
  for (const auto& entry : entries_) ++ends[stretch_of(entry.hash, count) + 1];
  std::partial_sum(ends.begin(), ends.end(), ends.begin());
  std::vector<DedupEntry> sorted(count);
  for (const auto& entry : entries_) sorted[ends[stretch_of(entry.hash, count)]++] = entry;
  for (std::size_t i = 1; i < count; ++i)
    for (auto at = i; at > 0 && sorted[at].hash < sorted[at - 1].hash; --at) std::swap(sorted[at], sorted[at - 1]);
  entries_.clear();
  std::fill(slots_.begin(), slots_.end(), Slot{});
  return sorted;
}

}  // namespace bobbin
