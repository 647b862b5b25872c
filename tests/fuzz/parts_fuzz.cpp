// Framed values in parts: entries that nobody wrote are refused, and a value that was tampered with is never taken for
// what was written.
#include "storage/codec/codec.hpp"
#include "storage/log/frame.hpp"
#include "storage/log/parts.hpp"
#include "storage/memory/tables.hpp"
#include "tests/fuzz/input.hpp"

#include <bobbin/error.hpp>

using namespace bobbin;
using namespace bobbin::storage;
using bobbin::fuzz::require;

namespace {

constexpr Lsn lsn = 7;
const Label what("value");

template <class Read>
void refused_or(const Read& read) {
  try {
    read();
  } catch (const Error& error) {
    require(error.code() == ErrorCode::corrupt || error.code() == ErrorCode::unsupported_format,
            "entries are refused as corrupt or of another format");
  }
}

std::string whole_words(std::string_view bytes) {
  std::string padded(bytes);
  padded.resize((padded.size() + 7) / 8 * 8);
  return padded;
}

Key prefix_in(Table table) { return table == Table::log ? log_key(lsn) : instance_key(InstanceId{}); }

void open_value(Table table, std::string_view framed) {
  if (table == Table::log) {
    open_record(framed, lsn, what);
    decode_record(record_body(framed), lsn, what);
  } else {
    open_row(framed, prefix_in(table).view(), what);
    decode_instance(row_body(framed), what);
  }
}

// Entries of any key and size.
void read_hostile_entries(fuzz::Input& input, Table table) {
  MemoryWriter writer(std::make_shared<VersionedTables>());
  while (!input.empty()) {
    const auto where = input.number<std::uint8_t>();
    const auto value = whole_words(input.text());
    auto key = where < 128 ? Key(prefix_in(table)).add(std::uint64_t{where})
                           : Key().add_raw(whole_words(input.text()).substr(0, 64));
    if (!value.empty() && !key.view().empty()) writer.put(table, key.view(), value);
  }
  PartReader parts(writer);
  refused_or([&] {
    const auto found = parts.find(table, prefix_in(table), what);
    if (!found.empty()) open_value(table, found);
  });
  auto& cursor = writer.cursor(table);
  bool more = cursor.first();
  while (more) {
    refused_or([&] {
      prefix_of(table, cursor.key());
      parts.collect(table, what);
    });
    more = cursor.next();
  }
}

std::string sealed(Table table, std::string_view pattern, std::size_t size) {
  std::string body;
  while (body.size() < size) body.append(pattern.empty() ? "." : pattern);
  const std::size_t frame = table == Table::log ? sizeof(RecordFrame) : sizeof(RowFrame);
  std::string framed = std::string(frame, '\0') + whole_words(body.substr(0, size));
  const std::span bytes(reinterpret_cast<std::byte*>(framed.data()), framed.size());
  if (table == Table::log)
    seal_record(bytes, lsn, 99);
  else
    seal_row(bytes, prefix_in(table).view());
  return framed;
}

void tamper(fuzz::Input& input, MemoryWriter& writer, Table table) {
  const auto act = input.number<std::uint8_t>();
  const auto key = Key(prefix_in(table)).add(std::uint64_t{input.number<std::uint8_t>()} % 8);
  auto& cursor = writer.cursor(table);
  if (act % 4 == 0) return writer.erase(table, key.view());
  if (!cursor.seek(key.view()) || cursor.key() != key.view()) return;
  std::string value(cursor.value());
  const auto at = input.number<std::uint16_t>() % value.size();
  if (act % 4 == 1) value[at] = static_cast<char>(value[at] ^ input.number<std::uint8_t>());
  if (act % 4 == 2) value.resize(std::max<std::size_t>(8, at / 8 * 8));
  if (act % 4 == 3) value.append(at / 8 * 8 + 8, '\0');
  writer.put(table, key.view(), value);
}

void read_tampered(fuzz::Input& input, Table table) {
  const auto size = input.number<std::uint16_t>() % 12'000u;
  const auto framed = sealed(table, input.text(), size);
  MemoryWriter writer(std::make_shared<VersionedTables>());
  append_parts(writer, table, prefix_in(table), framed);
  PartReader parts(writer);
  require(parts.find(table, prefix_in(table), what) == framed, "what was put in parts is found whole");
  while (!input.empty()) tamper(input, writer, table);
  refused_or([&] {
    const auto found = parts.find(table, prefix_in(table), what);
    if (found.empty()) return;
    if (table == Table::log)
      open_record(found, lsn, what);
    else
      open_row(found, prefix_in(table).view(), what);
    require(found == framed, "a value that passes its checksum is the one that was written");
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const auto mode = input.number<std::uint8_t>();
  const auto table = mode % 2 == 0 ? Table::log : Table::instances;
  if (mode / 2 % 2 == 0)
    read_hostile_entries(input, table);
  else
    read_tampered(input, table);
  return 0;
}
