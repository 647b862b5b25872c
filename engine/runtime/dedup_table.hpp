// A hash table that only grows, for the newest dedup ids.
#pragma once

#include <bobbin/state.hpp>

#include <vector>

namespace bobbin {

class DedupTable {
 public:
  const DedupEntry* find(const Id128& hash) const;
  // The hash must not be in it.
  void add(const DedupEntry& entry);
  std::size_t size() const { return size_; }
  // All entries, sorted by hash; the table is empty after it.
  std::vector<DedupEntry> take_sorted();

 private:
  std::size_t slot_of(const Id128& hash) const;
  void grow();

  std::vector<DedupEntry> slots_;  // a power of two of them; position.lsn 0: free
  std::size_t size_ = 0;
};

}  // namespace bobbin
