// One measured figure.
#pragma once

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
  std::string directory;  // on the disk to measure; emptied and removed by each benchmark
  double seconds = 10;    // of load
};

// A benchmark and what it is for. Returns its figure first, then what explains it.
struct Benchmark {
  std::string name;
  std::string what;
  std::function<std::vector<Figure>(const Settings&)> run;
};

// The benchmarks that there are, by name.
std::vector<Benchmark> benchmarks();

}  // namespace bobbin::bench
