// The newest dedup ids: entries in the order in which they came, and a hash table of where they are. The table holds a
// piece of each hash, so a look-up of an id that is not there seldom touches an entry.
#pragma once

#include <bobbin/state.hpp>

#include <vector>

namespace bobbin {

class DedupTable {
 public:
  const DedupEntry* find(const Id128& hash) const;
  // The hash must not be in it.
  void add(const DedupEntry& entry);
  // A look-up of it is about to come.
  void prefetch(const Id128& hash) const;
  std::size_t size() const { return entries_.size(); }
  // All entries, sorted by hash; the table is empty after it.
  std::vector<DedupEntry> take_sorted();

 private:
  struct Slot {
    std::uint32_t number = 0;  // of the entry, from 1; 0: free
    std::uint32_t tag = 0;
  };
  const DedupEntry& entry_in(const Slot& slot) const { return entries_[slot.number - 1]; }
  std::size_t slot_of(const Id128& hash) const;
  void fill(std::size_t slots);

  std::vector<DedupEntry> entries_;
  std::vector<Slot> slots_;  // a power of two of them, at least half free
};

}  // namespace bobbin
