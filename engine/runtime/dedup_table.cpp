#include "engine/runtime/dedup_table.hpp"

#include <bobbin/assert.hpp>

#include <algorithm>
#include <cstring>
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

std::vector<DedupEntry> DedupTable::take_sorted() {
  auto entries = std::exchange(entries_, {});
  entries_.reserve(entries.size());
  std::fill(slots_.begin(), slots_.end(), Slot{});
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.hash < b.hash; });
  return entries;
}

}  // namespace bobbin
