#include "storage/log/leftovers.hpp"

#include "storage/log/frame.hpp"
#include "storage/log/keys.hpp"
#include "storage/log/parts.hpp"

namespace bobbin::storage {

namespace {

// As it lies in the value, little-endian.
struct StoredLeftover {
  Id128 instance;
  std::uint64_t lsn;
};
static_assert(sizeof(StoredLeftover) == 24);

constexpr Label what = "a list of rows that a purge has left";

// No two purges take the same record.
Key key_of(std::span<const Committed::Ended> ended) { return Key().add_raw(leftovers_prefix).add(ended.front().lsn); }

bool seek_first(Cursor& cursor) { return cursor.seek(leftovers_prefix) && cursor.key().starts_with(leftovers_prefix); }

}  // namespace

void add_leftovers(Writer& writer, std::span<const Committed::Ended> ended) {
  if (ended.empty()) return;
  std::vector<std::byte> framed(sizeof(RowFrame) + ended.size() * sizeof(StoredLeftover));
  for (std::size_t i = 0; i < ended.size(); ++i) {
    const StoredLeftover stored{ended[i].id, ended[i].lsn};
    std::memcpy(framed.data() + sizeof(RowFrame) + i * sizeof stored, &stored, sizeof stored);
  }
  const auto key = key_of(ended);
  seal_row(framed, key.view());
  replace_parts(writer, Table::holds, key, {reinterpret_cast<const char*>(framed.data()), framed.size()});
}

void erase_leftovers(Writer& writer) {
  auto& cursor = writer.cursor(Table::holds);
  bool stands = seek_first(cursor);
  while (stands && cursor.key().starts_with(leftovers_prefix)) stands = writer.erase_here(Table::holds);
}

std::vector<Committed::Ended> read_leftovers(Reader& reader) {
  auto& cursor = reader.cursor(Table::holds);
  PartReader parts(reader);
  std::vector<Committed::Ended> leftovers;
  bool stands = seek_first(cursor);
  while (stands && cursor.key().starts_with(leftovers_prefix)) {
    const auto key = Key().add_raw(cursor.key());
    if (key.view().size() != 24) throw_damaged(what, "its key has a wrong size");
    const auto framed = parts.collect(Table::holds, what);
    open_row(framed, key.view().substr(0, 16), what);
    const auto body = row_body(framed);
    if (body.size() % sizeof(StoredLeftover) != 0) throw_damaged(what, "its size is wrong");
    for (std::size_t at = 0; at < body.size(); at += sizeof(StoredLeftover)) {
      StoredLeftover stored;
      std::memcpy(&stored, body.data() + at, sizeof stored);
      leftovers.push_back({stored.instance, stored.lsn});
    }
    stands = cursor.next();
  }
  return leftovers;
}

}  // namespace bobbin::storage
