// SIGKILL at random moments and at chosen calls, under load; afterwards the journals of both ends tell whether the
// promises were kept.
#pragma once

#include "tools/drill/checker.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

namespace bobbin::drill {

struct KillOptions {
  std::uint32_t rounds = 10;
  std::uint64_t seed = 1;
  std::filesystem::path gateway;
  std::filesystem::path killer;  // the library that kills at a call; empty: no life ends so
  std::filesystem::path directory;
  std::size_t connections = 4;
  std::size_t senders = 50;
  std::size_t rate = 400;  // messages a second
  std::chrono::milliseconds window{500};
  std::chrono::milliseconds patience{10'000};  // how long no batch may come before a missing message counts as lost
  std::size_t fibers_max = 4'096;
};

struct KillReport {
  std::uint32_t rounds = 0;
  std::uint32_t at_calls = 0;  // of the rounds: killed right before or after a write, sync or send
  Verdict verdict;
  std::string trouble;  // what kept the drill from its end, or the application from its work; empty if nothing

  const std::vector<BrokenPromise>& broken() const { return verdict.broken; }
  bool passed() const { return trouble.empty() && verdict.kept(); }
};

// "rounds=N accepted=N delivered=N lost=N doubled=N split=N at_calls=N".
std::string summary(const KillReport& report);

// Progress goes to stderr. The journals are written to the directory.
KillReport run_kill_drill(const KillOptions& options);

}  // namespace bobbin::drill
