// Framed values in parts small enough that LMDB never needs a run of contiguous pages for one.
#pragma once

#include "storage/codec/label.hpp"
#include "storage/log/keys.hpp"
#include "storage/log/table.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace bobbin::storage {

// Two entries of this size fill a 4 KiB page. A multiple of 8.
inline constexpr std::size_t part_bytes_max = 1904;

// Files `framed` under `prefix` and part numbers 0, 1, ... A value that was there before is replaced whole.
void append_parts(Writer& writer, Table table, Key prefix, std::string_view framed);
// Leaves the table's cursor on the entry behind what it erased; says whether there is one.
bool erase_parts(Writer& writer, Table table, const Key& prefix, std::uint64_t from_part = 0);
void replace_parts(Writer& writer, Table table, const Key& prefix, std::string_view framed);

// Puts values together again. Holds the bytes of the last one that had several parts.
class PartReader {
 public:
  explicit PartReader(Reader& reader) : reader_(reader) {}

  // The framed value under `prefix`; empty when there is none. In place if it is one part. Throws Corrupt naming
  // `what` when a part is missing, or its size is wrong. Valid until the next call, or the transaction's next write.
  std::string_view find(Table table, const Key& prefix, const Label& what);

  // The value whose part 0 the table's cursor stands on; leaves the cursor on its last part.
  std::string_view collect(Table table, const Label& what);

 private:
  std::string_view join(Cursor& cursor, std::size_t size, const Label& what);

  Reader& reader_;
  std::vector<std::uint64_t> joined_;  // words: bodies are read in place and need their alignment
};

// The key at which a value begins, without its part number. Throws Corrupt unless `key` is that of a part 0 and has
// the size that the table's keys have (ledgers: any multiple of 8).
std::string_view prefix_of(Table table, std::string_view key);

}  // namespace bobbin::storage
