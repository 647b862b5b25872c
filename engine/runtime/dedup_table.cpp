#include "engine/runtime/dedup_table.hpp"

#include <bobbin/assert.hpp>

#include <algorithm>

namespace bobbin {

namespace {
constexpr std::size_t slots_min = 1'024;
}

// The slot that holds the hash, or the free one where it would go. At least one slot is always free.
std::size_t DedupTable::slot_of(const Id128& hash) const {
  const auto mask = slots_.size() - 1;
  auto slot = Id128Hash{}(hash)&mask;
  while (slots_[slot].position.lsn != 0 && slots_[slot].hash != hash) slot = (slot + 1) & mask;
  return slot;
}

const DedupEntry* DedupTable::find(const Id128& hash) const {
  if (slots_.empty()) return nullptr;
  const auto& entry = slots_[slot_of(hash)];
  return entry.position.lsn != 0 ? &entry : nullptr;
}

void DedupTable::add(const DedupEntry& entry) {
  expect(entry.position.lsn != 0, "a dedup id is remembered with the record that accepted it");
  if (2 * (size_ + 1) > slots_.size()) grow();
  slots_[slot_of(entry.hash)] = entry;
  ++size_;
}

void DedupTable::grow() {
  auto old = std::move(slots_);
  slots_.assign(std::max(slots_min, 2 * old.size()), DedupEntry{});
  for (const auto& entry : old)
    if (entry.position.lsn != 0) slots_[slot_of(entry.hash)] = entry;
}

std::vector<DedupEntry> DedupTable::take_sorted() {
  std::vector<DedupEntry> entries;
  entries.reserve(size_);
  for (const auto& entry : slots_)
    if (entry.position.lsn != 0) entries.push_back(entry);
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.hash < b.hash; });
  std::fill(slots_.begin(), slots_.end(), DedupEntry{});
  size_ = 0;
  return entries;
}

}  // namespace bobbin
