#include "engine/runtime/dedup_tags.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <new>

namespace bobbin {

namespace {

// The first segment is small, as each id in it may touch a page of its own. Another is as large as all before it,
// within these bounds: there are few, and at most half are empty.
constexpr std::size_t first_segment_ids = std::size_t{1} << 12;
constexpr std::size_t segment_ids_min = std::size_t{1} << 17;
constexpr std::size_t segment_ids_max = std::size_t{1} << 22;
constexpr std::uint32_t runs_a_segment = 0xffff;
// Of many ids, lines are brought to the cache so many ids ahead.
constexpr std::size_t prefetched_ahead = 16;

std::uint64_t word_of(const Id128& hash, std::size_t from) {
  std::uint64_t word = 0;
  std::memcpy(&word, hash.bytes.data() + from, sizeof word);
  return word;
}

}  // namespace

void DedupTags::Unmap::operator()(Line* lines) const noexcept { ::munmap(lines, bytes); }

// Not in the order of the hashes, in which a stored run is read: a part of a run would all go to a part of the lines.
std::size_t DedupTags::Segment::line_of(const Id128& hash) const {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::size_t>(Wide{word_of(hash, 0)} * line_count >> 64);
}

// Of other bytes than those that choose the line; in the upper half, where a slot has it.
std::uint32_t DedupTags::tag_of(const Id128& hash) { return static_cast<std::uint32_t>(word_of(hash, 8) << 16); }

bool DedupTags::Segment::can_take(std::uint32_t run) const {
  return ids < ids_max && run >= first_run && run - first_run < runs_a_segment;
}

// Pages of fresh memory are zero, that is free, and cost nothing until they are touched: no step pays for all of them.
void DedupTags::begin_segment(std::uint32_t run) {
  Segment segment;
  segment.first_run = run - std::min(run, runs_a_segment / 2);
  segment.last_run = run;
  segment.ids_max = segments_.empty() ? first_segment_ids : std::clamp(ids_, segment_ids_min, segment_ids_max);
  segment.line_count = segment.ids_max / (slots_a_line / 4 * 3);
  const auto bytes = segment.line_count * sizeof(Line);
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  segment.lines = {static_cast<Line*>(memory), Unmap{bytes}};
  segments_.push_front(std::move(segment));
}

void DedupTags::add(const Id128& hash, std::uint32_t run) {
  if (segments_.empty() || !segments_.front().can_take(run)) begin_segment(run);
  auto& segment = segments_.front();
  const auto slot = tag_of(hash) | (run - segment.first_run + 1);
  for (auto at = segment.line_of(hash);; at = (at + 1) % segment.line_count) {
    auto& line = segment.lines[at];
    const auto taken = line.taken();
    if (taken == slots_a_line) continue;
    line.slots[taken] = slot;
    break;
  }
  segment.last_run = std::max(segment.last_run, run);
  ++segment.ids;
  ++ids_;
}

void DedupTags::add(std::span<const Id128> hashes, std::uint32_t run) {
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    if (i + prefetched_ahead < hashes.size() && !segments_.empty()) {
      const auto& segment = segments_.front();
      __builtin_prefetch(&segment.lines[segment.line_of(hashes[i + prefetched_ahead])], 1);
    }
    add(hashes[i], run);
  }
}

void DedupTags::prefetch(const Id128& hash) const {
  for (const auto& segment : segments_) __builtin_prefetch(&segment.lines[segment.line_of(hash)]);
}

void DedupTags::drop_before(std::uint32_t run) {
  std::erase_if(segments_, [&](const Segment& segment) {
    if (segment.last_run >= run) return false;
    ids_ -= segment.ids;
    return true;
  });
}

}  // namespace bobbin
