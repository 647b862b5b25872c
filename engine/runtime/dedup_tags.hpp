// Which runs of dedup ids may hold an id: for every id a piece of its hash and the number of its run, in memory. A
// look-up of an id that is not there touches a cache line in each of a few segments, and nearly never the store.
#pragma once

#include <bobbin/types.hpp>

#include <cstdint>
#include <deque>
#include <memory>
#include <span>

namespace bobbin {

class DedupTags {
 public:
  // Run numbers may come in any order as long as those of neighbouring calls are near each other.
  void add(const Id128& hash, std::uint32_t run);
  void add(std::span<const Id128> hashes, std::uint32_t run);
  // A look-up of it is about to come.
  void prefetch(const Id128& hash) const;
  // The first answer that `look` (std::optional of something) has for a run that may hold the hash.
  template <class Look>
  auto find(const Id128& hash, Look look) const -> decltype(look(std::uint32_t{}));
  // Numbers below this are not asked for any more: what holds nothing else is given back.
  void drop_before(std::uint32_t run);

 private:
  static constexpr std::size_t slots_a_line = 16;
  static constexpr std::uint32_t tag_mask = 0xffff'0000;
  using Four = std::uint32_t __attribute__((vector_size(16)));
  // Of a hash's piece << 16 | its run's number in the segment, from 1. Taken in order; 0 is free.
  struct alignas(64) Line {
    std::uint32_t slots[slots_a_line];

    bool may_hold(std::uint32_t tag) const;
    std::size_t taken() const;
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

// All slots at once and without branches: nearly never does any match.
inline bool DedupTags::Line::may_hold(std::uint32_t tag) const {
  const auto* four = reinterpret_cast<const Four*>(slots);
  const auto equal = [&](std::size_t i) { return (four[i] & tag_mask) == tag; };
  const auto any = equal(0) | equal(1) | equal(2) | equal(3);
  using Two = std::uint64_t __attribute__((vector_size(16)));
  const auto halves = reinterpret_cast<Two>(any);
  return (halves[0] | halves[1]) != 0;
}

// Without branches, too: how many are taken is as good as random.
inline std::size_t DedupTags::Line::taken() const {
  const auto* four = reinterpret_cast<const Four*>(slots);
  const auto free = (four[0] == 0) + (four[1] == 0) + (four[2] == 0) + (four[3] == 0);  // a lane is 0, or -1 for each
  return slots_a_line + static_cast<std::size_t>(static_cast<std::ptrdiff_t>(free[0]) + free[1] + free[2] + free[3]);
}

template <class Look>
auto DedupTags::find(const Id128& hash, Look look) const -> decltype(look(std::uint32_t{})) {
  const auto tag = tag_of(hash);
  for (const auto& segment : segments_) {
    for (auto at = segment.line_of(hash);; at = (at + 1) % segment.line_count) {
      const auto& line = segment.lines[at];
      if (line.may_hold(tag))
        for (const auto slot : line.slots)
          if (slot != 0 && (slot & tag_mask) == tag)
            if (auto found = look(segment.first_run + (slot & ~tag_mask) - 1)) return found;
      if (line.slots[slots_a_line - 1] == 0) break;  // a full line may have overflowed into the next one
    }
  }
  return {};
}

}  // namespace bobbin
