// An application behind the gateway that is at its worst: hangs, refuses, uses a batch and says that it has not,
// answers twice, comes back to requests that were given up long ago. Clients do not notice, and everything arrives
// once.
#pragma once

#include "tools/drill/checker.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

namespace bobbin::drill {

struct SlowOptions {
  std::uint32_t rounds = 3;  // each with every kind of trouble
  std::uint64_t seed = 1;
  std::filesystem::path gateway;
  std::filesystem::path directory;
  std::size_t rate = 300;                  // messages a second
  std::chrono::milliseconds trouble{700};  // how long each kind of it lasts
  std::chrono::milliseconds patience{10'000};
};

struct SlowReport {
  std::uint32_t rounds = 0;
  Verdict verdict;
  std::size_t repeated = 0;           // batches that the application got again after it had used them
  std::size_t held = 0;               // requests that it let hang
  std::uint64_t doubled_answers = 0;  // that came to the gateway twice in a row
  std::string trouble;                // what kept the drill from its end; empty if nothing

  const std::vector<BrokenPromise>& broken() const { return verdict.broken; }
  bool passed() const { return trouble.empty() && verdict.kept(); }
};

// "rounds=N accepted=N delivered=N repeated=N held=N answered_twice=N lost=N doubled=N split=N".
std::string summary(const SlowReport& report);

// The journals are written to the directory.
SlowReport run_slow_drill(const SlowOptions& options);

}  // namespace bobbin::drill
