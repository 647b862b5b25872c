#include "storage/log/parts.hpp"

#include "storage/codec/codec.hpp"
#include "storage/log/frame.hpp"

#include <bobbin/error.hpp>

#include <algorithm>

namespace bobbin::storage {

namespace {

std::string_view part_at(std::string_view framed, std::uint64_t part) {
  return framed.substr(part * part_bytes_max, part_bytes_max);
}

std::uint64_t parts_in(std::size_t size) { return (size + part_bytes_max - 1) / part_bytes_max; }

std::size_t frame_bytes(Table table) { return table == Table::log ? sizeof(RecordFrame) : sizeof(RowFrame); }

// The size of the whole value as its frame gives it; not to be believed before the checksum is.
std::size_t claimed_size(std::string_view first, std::size_t frame, const Label& what) {
  if (first.size() < frame) throw_damaged(what, "it is shorter than its frame");
  std::uint32_t body_bytes = 0;
  std::memcpy(&body_bytes, first.data() + length_offset, sizeof body_bytes);
  if (body_bytes > Encoder::body_bytes_max || body_bytes % 8 != 0) throw_damaged(what, "its length is impossible");
  return frame + body_bytes;
}

// Sizes of the prefixes, by table; 0: they differ.
std::size_t prefix_bytes(Table table) {
  switch (table) {
    case Table::log:
    case Table::schemas:
      return 8;
    case Table::instances:
    case Table::dead_letters:
      return 16;
    case Table::ledgers:
    case Table::meta:
    case Table::due:
    case Table::dedup_chunks:
    case Table::gaps:
    case Table::holds:
    case Table::dedup_runs:
      break;
  }
  return 0;
}

}  // namespace

void append_parts(Writer& writer, Table table, Key prefix, std::string_view framed) {
  const auto parts = parts_in(framed.size());
  for (std::uint64_t part = 0; part < parts; ++part)
    writer.append(table, Key(prefix).add(part).view(), part_at(framed, part));
}

bool erase_parts(Writer& writer, Table table, const Key& prefix, std::uint64_t from_part) {
  auto& cursor = writer.cursor(table);
  auto key = Key(prefix).add(from_part);
  bool stands = cursor.seek(key.view());
  for (; stands && cursor.key() == key.view(); key = Key(prefix).add(++from_part)) stands = writer.erase_here(table);
  return stands;
}

void replace_parts(Writer& writer, Table table, const Key& prefix, std::string_view framed) {
  erase_parts(writer, table, prefix, parts_in(framed.size()));
  for (std::uint64_t i = 0; i < parts_in(framed.size()); ++i)
    writer.put(table, Key(prefix).add(i).view(), part_at(framed, i));
}

std::string_view prefix_of(Table table, std::string_view key) {
  const Label what("a key of table", std::string_view(table_names[static_cast<std::size_t>(table)]));
  const auto expected = prefix_bytes(table);
  if (key.size() < 16 || key.size() % 8 != 0 || (expected != 0 && key.size() != expected + 8))
    throw_damaged(what, "it has " + std::to_string(key.size()) + " bytes");
  if (number_at(key, key.size() - 8) != 0) throw_damaged(what, "it names a part whose value does not begin");
  return key.substr(0, key.size() - 8);
}

std::string_view PartReader::find(Table table, const Key& prefix, const Label& what) {
  auto& cursor = reader_.cursor(table);
  const auto key = Key(prefix).add(std::uint64_t{0});
  if (!cursor.seek(key.view()) || cursor.key() != key.view()) return {};
  return collect(table, what);
}

std::string_view PartReader::collect(Table table, const Label& what) {
  auto& cursor = reader_.cursor(table);
  const auto first = cursor.value();
  const auto size = claimed_size(first, frame_bytes(table), what);
  if (first.size() != std::min(size, part_bytes_max)) throw_damaged(what, "its length is not the one recorded");
  return size == first.size() ? first : join(cursor, size, what);
}

std::string_view PartReader::join(Cursor& cursor, std::size_t size, const Label& what) {
  const Key key = Key().add_raw(cursor.key());
  const auto prefix = key.view().substr(0, key.view().size() - 8);
  joined_.clear();
  for (std::uint64_t part = 0;; ++part) {
    const auto bytes = cursor.value();
    const auto done = part * part_bytes_max;
    if (bytes.size() != std::min(size - done, part_bytes_max)) throw_damaged(what, "a part has a wrong size");
    joined_.resize((done + bytes.size()) / sizeof(std::uint64_t));
    std::memcpy(reinterpret_cast<char*>(joined_.data()) + done, bytes.data(), bytes.size());
    if (done + bytes.size() == size) break;
    const auto follows = cursor.next() && cursor.key().size() == prefix.size() + 8 &&
                         cursor.key().starts_with(prefix) && number_at(cursor.key(), prefix.size()) == part + 1;
    if (!follows) throw_damaged(what, "its part " + std::to_string(part + 1) + " is missing");
  }
  return {reinterpret_cast<const char*>(joined_.data()), size};
}

}  // namespace bobbin::storage
