// The wall clock of the gateway, in the drill's hand.
#pragma once

#include "tools/drill/child_environment.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace bobbin::drill {

// Where the library (clock_preload.cpp) finds the file that holds the shift, in microseconds.
inline constexpr auto wall_clock_variable = "BOBBIN_WALL_CLOCK";

class WallClock {
 public:
  // Makes the file. Throws std::system_error if it cannot.
  explicit WallClock(std::filesystem::path file);
  ~WallClock();
  WallClock(const WallClock&) = delete;
  WallClock& operator=(const WallClock&) = delete;

  // What gives a process this clock.
  std::vector<Variable> given_by(const std::filesystem::path& library) const;
  // Against the machine's own; at once, in every process that has this clock.
  void set(std::chrono::microseconds offset) { shift_us_->store(offset.count()); }

 private:
  std::filesystem::path file_;
  std::atomic<std::int64_t>* shift_us_;
};

}  // namespace bobbin::drill
