// The gateway under load while its wall clock jumps by hours, in both directions, between its lives as well: windows,
// retries and repetitions keep what they promise.
#pragma once

#include "tools/drill/checker.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

namespace bobbin::drill {

struct ClockOptions {
  std::uint32_t rounds = 30;  // a jump each; some with SIGKILL, and a jump while nobody is there
  std::uint64_t seed = 1;
  std::filesystem::path gateway;
  std::filesystem::path clock_library;  // the library that goes before the gateway
  std::filesystem::path directory;
  std::size_t rate = 300;  // messages a second
  std::chrono::milliseconds window{500};
  std::chrono::milliseconds patience{10'000};
};

struct ClockReport {
  std::uint32_t rounds = 0;
  std::uint32_t forward = 0;  // jumps, beyond all earlier ones
  std::uint32_t back = 0;     // jumps
  std::uint32_t deaths = 0;
  Verdict verdict;
  std::string trouble;  // what kept the drill from its end; empty if nothing

  const std::vector<BrokenPromise>& broken() const { return verdict.broken; }
  bool passed() const { return trouble.empty() && verdict.kept(); }
};

// "rounds=N forward=N back=N deaths=N accepted=N delivered=N lost=N doubled=N split=N".
std::string summary(const ClockReport& report);

// The journals are written to the directory, with the times of the drill's own clock.
ClockReport run_clock_drill(const ClockOptions& options);

}  // namespace bobbin::drill
