// One measured figure, and the benchmarks that measure them.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace bobbin::bench {

struct Figure {
  std::string name;
  double value = 0;
  std::string unit;
  std::optional<double> target;
  bool at_least = true;  // the target is a lower bound; else an upper one

  bool met() const { return !target || (at_least ? value >= *target : value <= *target); }
};

struct Settings {
  std::string directory;               // on the disk to measure; emptied and removed by each benchmark
  double seconds = 60;                 // of load
  std::uint64_t earlier = 10'000'000;  // records that stand in the log before the load
  std::uint64_t waiting = 1'000'000;   // instances; measured with twice as many, too
  bool charts = true;                  // to standard output, beside the figures
};

// A benchmark and what it is for. Returns its figures first, then what explains them.
struct Benchmark {
  std::vector<std::string> names;  // its figures'; any of them stands for it
  std::string what;
  std::function<std::vector<Figure>(const Settings&)> run;
};

std::vector<Figure> events_per_s(const Settings& settings);
std::vector<Figure> events_per_s_1m_keys(const Settings& settings);
std::vector<Figure> append_ratio(const Settings& settings);
std::vector<Figure> single_latency_ratio(const Settings& settings);
std::vector<Figure> first_calls_ms(const Settings& settings);
std::vector<Figure> waiting(const Settings& settings);
std::vector<Figure> replay_events_per_s(const Settings& settings);
std::vector<Figure> purge_records_per_s(const Settings& settings);
std::vector<Figure> plateau(const Settings& settings);

// All of them.
std::vector<Benchmark> benchmarks();

}  // namespace bobbin::bench
