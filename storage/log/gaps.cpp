#include "storage/log/gaps.hpp"

#include "storage/log/frame.hpp"
#include "storage/log/keys.hpp"

#include <bobbin/damage.hpp>

namespace bobbin::storage {

namespace {

// As it lies in the table, little-endian; the checksum is XXH64 of what follows it, seeded with that of the key.
struct StoredGap {
  std::uint64_t checksum;
  std::uint64_t last;
  std::uint64_t last_checksum;
};
static_assert(sizeof(StoredGap) == 24);

std::uint64_t gap_checksum(const StoredGap& gap, std::string_view key) {
  const auto* bytes = reinterpret_cast<const char*>(&gap);
  return checksum_of(std::string_view(bytes + 8, sizeof gap - 8), checksum_of(key));
}

PurgedStretch gap_at(const Cursor& cursor) {
  const Label what("an entry of the purged stretches");
  StoredGap gap;
  if (cursor.key().size() != 8 || cursor.value().size() != sizeof gap) throw_damaged(what, "its size is wrong");
  std::memcpy(&gap, cursor.value().data(), sizeof gap);
  if (gap.checksum != gap_checksum(gap, cursor.key())) throw_damaged(what, "checksum mismatch");
  return {number_at(cursor.key(), 0), gap.last, gap.last_checksum};
}

// A damaged one stays as it is, for verify to name.
std::optional<PurgedStretch> sound_gap_at(const Cursor& cursor) {
  std::optional<PurgedStretch> gap;
  damage_met_in([&] { gap = gap_at(cursor); });
  return gap;
}

}  // namespace

void add_gap(Writer& writer, PurgedStretch stretch) {
  auto& cursor = writer.cursor(Table::gaps);
  const bool behind = cursor.seek(gap_key(stretch.first).view());
  if (behind) {
    if (const auto next = sound_gap_at(cursor); next && next->first == stretch.last + 1) {
      stretch.last = next->last;
      stretch.last_checksum = next->last_checksum;
      writer.erase(Table::gaps, gap_key(next->first).view());
    }
  }
  const bool again = cursor.seek(gap_key(stretch.first).view());
  if (again ? cursor.previous() : cursor.last())
    if (const auto before = sound_gap_at(cursor); before && before->last + 1 == stretch.first)
      stretch.first = before->first;
  const auto key = gap_key(stretch.first);
  StoredGap gap{0, stretch.last, stretch.last_checksum};
  gap.checksum = gap_checksum(gap, key.view());
  writer.put(Table::gaps, key.view(), {reinterpret_cast<const char*>(&gap), sizeof gap});
}

std::vector<PurgedStretch> read_gaps(Reader& reader) {
  std::vector<PurgedStretch> gaps;
  auto& cursor = reader.cursor(Table::gaps);
  for (bool more = cursor.first(); more; more = cursor.next()) gaps.push_back(gap_at(cursor));
  return gaps;
}

}  // namespace bobbin::storage
