// Draws of a simulation: small, fast, and the same on every machine (SplitMix64).
#pragma once

#include <bobbin/types.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace bobbin::sim {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  bool one_in(std::uint64_t bound) { return below(bound) == 0; }
  // From nothing up to, but not, `bound`.
  Duration duration(Duration bound) {
    return Duration(static_cast<Duration::rep>(below(std::uint64_t(bound.count()))));
  }
  template <class T, std::size_t N>
  const T& pick(const std::array<T, N>& items) {
    return items[below(N)];
  }

 private:
  std::uint64_t state_;
};

}  // namespace bobbin::sim
