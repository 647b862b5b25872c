// A blocked Bloom filter over hashes: "certainly not there" for about 99 of 100 that are not.
#pragma once

#include <bobbin/types.hpp>

#include <array>
#include <cstdint>
#include <vector>

namespace bobbin {

class DedupFilter {
 public:
  explicit DedupFilter(std::size_t entries) : blocks_(entries / ids_per_block + 1) {}

  void add(const Id128& hash) {
    auto& block = blocks_[block_of(hash)];
    for_bits(hash, [&block](unsigned word, std::uint64_t bit) {
      block[word] |= bit;
      return true;
    });
  }
  bool may_contain(const Id128& hash) const {
    const auto& block = blocks_[block_of(hash)];
    return for_bits(hash, [&block](unsigned word, std::uint64_t bit) { return (block[word] & bit) != 0; });
  }

 private:
  // A block is a cache line: one miss a look-up; 512 bits for 42 ids make about 1 % of false answers with six bits
  // each.
  using Block = std::array<std::uint64_t, 8>;
  static constexpr std::size_t ids_per_block = 42;

  static std::uint64_t half(const Id128& hash, std::size_t from) {
    std::uint64_t word = 0;
    std::memcpy(&word, hash.bytes.data() + from, sizeof word);
    return word;
  }
  std::size_t block_of(const Id128& hash) const { return half(hash, 0) % blocks_.size(); }
  template <class F>
  static bool for_bits(const Id128& hash, F use) {
    auto bits = half(hash, 8);
    for (int i = 0; i < 6; ++i, bits >>= 9)
      if (!use(static_cast<unsigned>(bits >> 6 & 7), std::uint64_t{1} << (bits & 63))) return false;
    return true;
  }

  std::vector<Block> blocks_;
};

}  // namespace bobbin
