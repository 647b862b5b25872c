#include "storage/log/leftovers.hpp"

#include "storage/codec/codec.hpp"
#include "storage/log/frame.hpp"
#include "storage/log/keys.hpp"
#include "storage/log/parts.hpp"

#include <bobbin/damage.hpp>

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

// The one on whose first part the cursor stands; leaves it on the last. Never empty.
std::vector<Committed::Ended> read_list(Reader& reader) {
  const auto key = Key().add_raw(reader.cursor(Table::holds).key());
  if (key.view().size() != 24) throw_damaged(what, "its key has a wrong size");
  PartReader parts(reader);
  const auto framed = parts.collect(Table::holds, what);
  open_row(framed, key.view().substr(0, 16), what);
  const auto body = row_body(framed);
  if (body.empty() || body.size() % sizeof(StoredLeftover) != 0) throw_damaged(what, "its size is wrong");
  std::vector<Committed::Ended> list(body.size() / sizeof(StoredLeftover));
  for (std::size_t i = 0; i < list.size(); ++i) {
    StoredLeftover stored;
    std::memcpy(&stored, body.data() + i * sizeof stored, sizeof stored);
    list[i] = {stored.instance, stored.lsn};
  }
  return list;
}

bool row_stands(Reader& reader, const Committed::Ended& ended) {
  const Label row_of("the row of instance", ended.id);
  const auto key = instance_key(ended.id);
  bool as_it_was = false;
  damage_met_in([&] {
    PartReader parts(reader);
    const auto framed = parts.find(Table::instances, key, row_of);
    if (framed.empty()) return;
    open_row(framed, key.view(), row_of);
    as_it_was = decode_instance_head(row_body(framed), row_of).lsn == ended.lsn;
  });
  return as_it_was;
}

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
  while (stands && cursor.key().starts_with(leftovers_prefix)) {
    const auto key = Key().add_raw(cursor.key());
    std::vector<Committed::Ended> list;
    const auto damage = damage_met_in([&] { list = read_list(writer); });
    const bool stays = !damage && row_stands(writer, list.back());
    stands = cursor.seek(key.view());
    while (stands && cursor.key().substr(0, 16) == key.view().substr(0, 16))
      stands = stays ? cursor.next() : writer.erase_here(Table::holds);
  }
}

std::vector<Committed::Ended> read_leftovers(Reader& reader) {
  auto& cursor = reader.cursor(Table::holds);
  std::vector<Committed::Ended> leftovers;
  bool stands = seek_first(cursor);
  for (; stands && cursor.key().starts_with(leftovers_prefix); stands = cursor.next()) {
    const auto list = read_list(reader);
    leftovers.insert(leftovers.end(), list.begin(), list.end());
  }
  return leftovers;
}

}  // namespace bobbin::storage
