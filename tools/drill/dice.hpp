// What a drill draws, as a function of its seed.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <random>

namespace bobbin::drill {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed) {}

  bool chance(double share) { return std::uniform_real_distribution<>(0, 1)(random_) < share; }
  bool one_in(int count) { return std::uniform_int_distribution<>(1, count)(random_) == 1; }
  // A number below `count`, which is not 0.
  std::size_t any_of(std::size_t count) { return up_to(count - 1); }
  std::uint64_t up_to(std::uint64_t most) { return std::uniform_int_distribution<std::uint64_t>(0, most)(random_); }
  std::chrono::milliseconds between(std::chrono::milliseconds low, std::chrono::milliseconds high) {
    using Count = std::chrono::milliseconds::rep;
    return std::chrono::milliseconds(std::uniform_int_distribution<Count>(low.count(), high.count())(random_));
  }
  std::uint64_t seed() { return random_(); }  // for something else that is drawn

 private:
  std::mt19937_64 random_;
};

}  // namespace bobbin::drill
