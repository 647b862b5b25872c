// The load of the figures: events of 300 bytes over many keys, so many in flight, into windows of SMS consolidation.
#pragma once

#include <bobbin/engine.hpp>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace bobbin::bench {

struct LoadShape {
  std::size_t keys = 1'000;
  std::size_t in_flight = 1'024;
  Duration window = std::chrono::seconds(1);
  std::uint32_t window_messages = 100;
  std::size_t event_bytes = 300;
  double seconds = 10;
};

struct LoadResult {
  double seconds = 0;
  double cpu_seconds = 0;       // of the whole process meanwhile
  std::uint64_t events = 0;     // accepted durably within `seconds`
  std::uint64_t delivered = 0;  // messages that came out in batches, in the end
  std::uint64_t batches = 0;
  std::vector<double> latency_us;          // of a sample of the events
  std::uint64_t first_lsn = 0;             // of the loaded stretch
  std::vector<std::uint64_t> commit_lsns;  // last LSN of each of its commits while the load lasted
  EngineStats stats;
};

// Opens an engine with default options on a new log in `directory`, loads it, waits until all is delivered, closes.
LoadResult run_load(const std::filesystem::path& directory, const LoadShape& shape);

// One caller, one event at a time, each waited for; latencies in microseconds.
LoadResult run_single(const std::filesystem::path& directory, const LoadShape& shape);

}  // namespace bobbin::bench
