// Stretches of load on a host, and what was seen meanwhile.
#pragma once

#include "tools/bench/host.hpp"

namespace bobbin::bench {

struct Stretch {
  double seconds = 0;
  double cpu_seconds = 0;                  // of the whole process meanwhile
  std::uint64_t events = 0;                // accepted durably
  std::vector<double> latency_us;          // of a sample of the events
  std::uint64_t first_lsn = 0;             // of the stretch
  std::vector<std::uint64_t> commit_lsns;  // last LSN of each of its commits

  double events_per_s() const { return static_cast<double>(events) / seconds; }
};

struct LoadShape {
  std::size_t first_key = 0;
  std::size_t keys = 1'000;
  std::size_t in_flight = 1'024;
  double events_per_s = 0;  // no more than this; 0: as many as it takes
};

// Events over the keys in turn, until told to stop; then waits for their answers.
Stretch load(Host& host, const LoadShape& shape, const std::function<bool()>& enough);
Stretch load_for(Host& host, const LoadShape& shape, double seconds);
// One event for each key.
void load_each_key(Host& host, const LoadShape& shape);
// Until the log holds this many records.
void load_records(Host& host, const LoadShape& shape, std::uint64_t records);

// One caller, one event at a time, each waited for.
Stretch call_for(Host& host, const LoadShape& shape, double seconds);

}  // namespace bobbin::bench
