#include "storage/log/dedup.hpp"

#include "storage/codec/label.hpp"
#include "storage/log/frame.hpp"
#include "storage/log/keys.hpp"
#include "storage/log/parts.hpp"

#include <bobbin/error.hpp>

#include <algorithm>

namespace bobbin::storage {

namespace {

// An entry as it lies in a chunk, little-endian.
struct StoredEntry {
  Id128 hash;
  std::uint64_t lsn;
  std::uint64_t run;
  std::int64_t accepted_at;
  std::uint32_t index;
  std::uint32_t reserved;
};
static_assert(sizeof(StoredEntry) == 48);

constexpr std::size_t entries_max = (part_bytes_max - sizeof(RowFrame)) / sizeof(StoredEntry);
static_assert(entries_max == DedupChunk::entries_together);

StoredEntry stored(const DedupEntry& entry) {
  return {entry.hash, entry.position.lsn, entry.run, entry.accepted_at.time_since_epoch().count(), entry.position.index,
          0};
}

DedupEntry loaded(const StoredEntry& entry) {
  return {entry.hash, {entry.lsn, entry.index}, entry.run, LogTime(Duration(entry.accepted_at))};
}

// Chunks deleted in one commit: well below a millisecond of work, and faster than runs can be written.
constexpr std::size_t chunks_swept_max = 128;
constexpr std::string_view dropped_prefix = "dropped_";

Key dropped_key(std::uint64_t run) { return Key().add_raw(dropped_prefix).add(run); }

// Runs are named upwards and written in the order of their hashes, so nearly always behind all others: appended, chunks
// fill their pages, and those of a run lie together.
void put_chunk(Writer& writer, std::string_view key, std::string_view chunk) {
  auto& chunks = writer.cursor(Table::dedup_chunks);
  if (!chunks.last() || chunks.key() < key)
    writer.append(Table::dedup_chunks, key, chunk);
  else
    writer.put(Table::dedup_chunks, key, chunk);
}

void write_piece(Writer& writer, std::uint64_t run, std::span<const DedupEntry> entries) {
  alignas(8) std::array<std::byte, part_bytes_max> bytes;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto entry = stored(entries[i]);
    std::memcpy(bytes.data() + sizeof(RowFrame) + i * sizeof entry, &entry, sizeof entry);
  }
  const auto key = dedup_chunk_key(run, entries.front().hash);
  const auto framed = std::span(bytes).first(sizeof(RowFrame) + entries.size() * sizeof(StoredEntry));
  seal_row(framed, key.view());
  put_chunk(writer, key.view(), {reinterpret_cast<const char*>(framed.data()), framed.size()});
}

bool belongs_to(std::string_view key, std::uint64_t run) { return key.size() == 24 && number_at(key, 0) == run; }

// The entries of the chunk that the cursor stands on, in place.
std::span<const StoredEntry> entries_at(const Cursor& cursor) {
  const Label what("dedup run", number_at(cursor.key(), 0));
  open_row(cursor.value(), cursor.key(), what);
  const auto body = row_body(cursor.value());
  if (body.empty() || body.size() % sizeof(StoredEntry) != 0) throw_damaged(what, "a chunk has a wrong size");
  if (reinterpret_cast<std::uintptr_t>(body.data()) % alignof(StoredEntry) != 0)
    throw_damaged(what, "a chunk is not aligned");
  return {reinterpret_cast<const StoredEntry*>(body.data()), body.size() / sizeof(StoredEntry)};
}

}  // namespace

void write_dedup_chunk(Writer& writer, const DedupChunk& chunk) {
  const auto by_hash = [](const DedupEntry& a, const DedupEntry& b) { return a.hash < b.hash; };
  if (!std::is_sorted(chunk.entries.begin(), chunk.entries.end(), by_hash))
    throw InvalidArgument("a chunk of dedup run " + std::to_string(chunk.run) + " is not sorted by hash");
  const std::span<const DedupEntry> entries(chunk.entries);
  for (std::size_t i = 0; i < entries.size(); i += entries_max)
    write_piece(writer, chunk.run, entries.subspan(i, std::min(entries_max, entries.size() - i)));
}

void drop_dedup_run(Writer& writer, std::uint64_t run) {
  writer.erase(Table::dedup_runs, dedup_run_key(run).view());
  writer.put(Table::meta, dropped_key(run).view(), {});
}

void sweep_dropped_dedup_runs(Writer& writer) {
  auto& marks = writer.cursor(Table::meta);
  if (!marks.seek(dropped_prefix) || !marks.key().starts_with(dropped_prefix) || marks.key().size() != 16) return;
  const auto run = number_at(marks.key(), dropped_prefix.size());
  const auto from = Key().add(run);
  auto& chunks = writer.cursor(Table::dedup_chunks);
  for (std::size_t swept = 0; swept < chunks_swept_max; ++swept) {
    if (!chunks.seek(from.view()) || !belongs_to(chunks.key(), run))
      return writer.erase(Table::meta, dropped_key(run).view());
    writer.erase(Table::dedup_chunks, Key().add_raw(chunks.key()).view());
  }
}

namespace {

// To the chunk that may hold the hash: the last that begins at or before it.
bool seek_chunk(Cursor& cursor, std::uint64_t run, const Id128& hash) {
  const auto key = dedup_chunk_key(run, hash);
  const bool found_chunk = cursor.seek(key.view()) ? cursor.key() == key.view() || cursor.previous() : cursor.last();
  return found_chunk && belongs_to(cursor.key(), run);
}

}  // namespace

std::optional<DedupEntry> find_dedup_entry(Reader& reader, std::uint64_t run, const Id128& hash) {
  auto& cursor = reader.cursor(Table::dedup_chunks);
  if (!seek_chunk(cursor, run, hash)) return std::nullopt;
  const auto entries = entries_at(cursor);
  const auto found = std::lower_bound(entries.begin(), entries.end(), hash,
                                      [](const StoredEntry& entry, const Id128& id) { return entry.hash < id; });
  if (found == entries.end() || found->hash != hash) return std::nullopt;
  return loaded(*found);
}

std::vector<Id128> read_dedup_hashes(Reader& reader, std::uint64_t run, const std::optional<Id128>& after,
                                     std::size_t limit) {
  auto& cursor = reader.cursor(Table::dedup_chunks);
  std::vector<Id128> hashes;
  bool more = after ? seek_chunk(cursor, run, *after) : cursor.seek(Key().add(run).view());
  for (; more && belongs_to(cursor.key(), run) && hashes.size() < limit; more = cursor.next()) {
    const auto entries = entries_at(cursor);
    for (const auto& entry : entries)
      if (hashes.size() < limit && (!after || *after < entry.hash)) hashes.push_back(entry.hash);
  }
  return hashes;
}

void visit_dedup_run(Reader& reader, std::uint64_t run, const std::function<void(const DedupEntry&)>& visit) {
  auto& cursor = reader.cursor(Table::dedup_chunks);
  const auto from = Key().add(run);
  Id128 before;
  for (bool more = cursor.seek(from.view()); more && belongs_to(cursor.key(), run); more = cursor.next()) {
    for (const auto& entry : entries_at(cursor)) {
      if (entry.hash < before) throw_damaged(Label("dedup run", run), "its entries are not in order");
      before = entry.hash;
      visit(loaded(entry));
    }
  }
}

}  // namespace bobbin::storage
