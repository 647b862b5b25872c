// Steady load for as long as one likes, with retention: nothing is lost, and neither the log's file nor the memory goes
// on growing.
#pragma once

#include "tools/drill/checker.hpp"
#include "tools/drill/soak/curve.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace bobbin::drill {

struct SoakOptions {
  std::uint64_t seconds = 3'600;
  std::uint64_t seed = 1;
  std::filesystem::path gateway;
  std::filesystem::path directory;
  std::filesystem::path svg = "bobbin-soak.svg";
  std::size_t rate = 200;  // messages a second
  std::chrono::milliseconds patience{10'000};
};

struct SoakReport {
  std::uint64_t seconds = 0;
  Verdict verdict;
  std::vector<Curve> curves;  // file, memory
  bool judged = false;        // long enough for a plateau
  std::string trouble;        // what kept the drill from its end; empty if nothing

  const std::vector<BrokenPromise>& broken() const { return verdict.broken; }
  bool passed() const { return trouble.empty() && broken().empty(); }
};

// "seconds=N accepted=N delivered=N file_mib=N memory_mib=N plateau=yes lost=N doubled=N split=N"; "plateau=no", or
// "plateau=unknown" of a run that is shorter than several times what the log keeps.
std::string summary(const SoakReport& report);

// Plots the curves on stdout and into the SVG file. Journals of what is not yet judged are written to the directory.
SoakReport run_soak_drill(const SoakOptions& options);

}  // namespace bobbin::drill
