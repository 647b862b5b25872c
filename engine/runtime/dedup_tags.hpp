// Which runs of dedup ids may hold an id: for every id a piece of its hash and the number of its run, in memory. A
// look-up of an id that is not there touches a cache line in each of a few segments, and nearly never the store.
#pragma once

#include <bobbin/types.hpp>

#include <bit>
#include <cstdint>
#include <deque>
#include <memory>

namespace bobbin {

class DedupTags {
 public:
  // Run numbers may come in any order as long as those of neighbouring calls are near each other.
  void add(const Id128& hash, std::uint32_t run);
  // A look-up of it is about to come.
  void prefetch(const Id128& hash) const;
  // The first answer that `look` (std::optional of something) has for a run that may hold the hash.
  template <class Look>
  auto find(const Id128& hash, Look look) const -> decltype(look(std::uint32_t{}));
  // Numbers below this are not asked for any more: what holds nothing else is given back.
  void drop_before(std::uint32_t run);

 private:
  static constexpr std::size_t slots_a_line = 16;
  struct alignas(64) Line {
    std::uint32_t slots[slots_a_line];  // piece of the hash << 16 | run's number in the segment, from 1; 0: free
  };
  struct Unmap {
    std::size_t bytes;
    void operator()(Line* lines) const noexcept;
  };
  struct Segment {
    std::uint32_t first_run = 0;  // all its runs have numbers from here on
    std::uint32_t last_run = 0;
    std::size_t ids = 0;
    std::size_t ids_max = 0;
    std::size_t line_count = 0;
    std::unique_ptr<Line[], Unmap> lines;

    std::size_t line_of(const Id128& hash) const;
    bool can_take(std::uint32_t run) const;
  };
  static std::uint32_t tag_of(const Id128& hash);
  void begin_segment(std::uint32_t run);

  std::deque<Segment> segments_;
  std::size_t ids_ = 0;
};

template <class Look>
auto DedupTags::find(const Id128& hash, Look look) const -> decltype(look(std::uint32_t{})) {
  const auto tag = tag_of(hash);
  for (const auto& segment : segments_) {
    for (auto at = segment.line_of(hash);; at = (at + 1) % segment.line_count) {
      const auto& slots = segment.lines[at].slots;
      // Without branches: nearly never does any slot match.
      std::uint32_t taken = 0, matches = 0;
      for (std::size_t i = 0; i < slots_a_line; ++i) {
        const auto is_taken = static_cast<std::uint32_t>(slots[i] != 0);
        taken += is_taken;
        matches |= (is_taken & static_cast<std::uint32_t>((slots[i] & 0xffff0000) == tag)) << i;
      }
      for (; matches != 0; matches &= matches - 1)
        if (auto found = look(segment.first_run + (slots[std::countr_zero(matches)] & 0xffff) - 1)) return found;
      if (taken < slots_a_line) break;  // a full line may have overflowed into the next one
    }
  }
  return {};
}

}  // namespace bobbin
