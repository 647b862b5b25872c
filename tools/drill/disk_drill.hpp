// A disk that fills and empties under load, with SIGKILLs in between; afterwards the journals of both ends tell whether
// the promises were kept.
#pragma once

#include "tools/drill/checker.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

namespace bobbin::drill {

struct DiskOptions {
  std::uint32_t rounds = 20;
  std::uint64_t seed = 1;
  std::filesystem::path gateway;
  std::filesystem::path directory;  // not on the small disk; of each disk a folder in it
  std::uint64_t disk_bytes = 128u << 20;
  std::uint32_t rounds_a_disk = 10;  // then a new one: the log of a round stays on it
  std::size_t connections = 4;
  std::size_t senders = 50;
  std::size_t rate = 1'500;  // messages a second
  std::chrono::milliseconds window{500};
  std::chrono::milliseconds patience{10'000};  // how long no batch may come before a missing message counts as lost
  std::size_t fibers_max = 4'096;
};

struct DiskReport {
  std::uint32_t rounds = 0;
  Verdict verdict;            // of all disks
  std::uint64_t refused = 0;  // answers "come again, my queue is full"
  std::string trouble;        // what kept the drill from its end, or the application from its work; empty if nothing

  const std::vector<BrokenPromise>& broken() const { return verdict.broken; }
  // A drill in which nothing was refused has shown nothing.
  bool passed() const { return trouble.empty() && verdict.kept() && refused > 0; }
};

// "rounds=N accepted=N delivered=N lost=N doubled=N split=N refused=N".
std::string summary(const DiskReport& report);

// Needs root, which may mount; throws std::runtime_error otherwise. Progress goes to stderr. The journals are written
// to the directory.
DiskReport run_disk_drill(const DiskOptions& options);

}  // namespace bobbin::drill
