// bobbin-bench: the figures, on this machine's disk.
#include "tools/bench/figure.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <exception>

namespace {

using namespace bobbin::bench;

void print(const Figure& figure, bool json) {
  if (json) {
    nlohmann::ordered_json line{{"name", figure.name}, {"value", figure.value}, {"unit", figure.unit}};
    line["target"] = figure.target ? nlohmann::ordered_json(*figure.target) : nlohmann::ordered_json();
    line["met"] = figure.target ? nlohmann::ordered_json(figure.met()) : nlohmann::ordered_json();
    std::printf("%s\n", line.dump().c_str());
  } else if (figure.target) {
    std::printf("%-24s %14.3f %-10s target %s %g: %s\n", figure.name.c_str(), figure.value, figure.unit.c_str(),
                figure.at_least ? ">=" : "<=", *figure.target, figure.met() ? "met" : "NOT MET");
  } else {
    std::printf("  %-22s %14.3f %s\n", figure.name.c_str(), figure.value, figure.unit.c_str());
  }
  std::fflush(stdout);
}

int run(const std::vector<std::string>& names, const Settings& settings, bool json) {
  for (const auto& benchmark : benchmarks()) {
    if (!names.empty() &&
        std::find_first_of(names.begin(), names.end(), benchmark.names.begin(), benchmark.names.end()) == names.end())
      continue;
    for (const auto& figure : benchmark.run(settings)) print(figure, json);
  }
  return 0;
}

int run(int argc, char** argv) {
  CLI::App app("Measures the figures that Bobbin promises, on the disk that holds --directory.");
  std::vector<std::string> names;
  Settings settings;
  settings.directory = "bobbin-bench.tmp";
  bool json = false;
  std::vector<std::string> known;
  for (const auto& benchmark : benchmarks()) known.insert(known.end(), benchmark.names.begin(), benchmark.names.end());
  app.add_option("NAME", names, "benchmarks to run; all if none is named")->check(CLI::IsMember(known));
  app.add_option("--directory", settings.directory, "a directory to use and remove")->capture_default_str();
  app.add_option("--seconds", settings.seconds, "of load for each")->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--earlier", settings.earlier, "records that the log holds before the load")->capture_default_str();
  app.add_option("--waiting", settings.waiting, "waiting instances, then twice as many")->capture_default_str();
  app.add_flag("--json", json, "one object a line: name, value, unit, target, met");
  CLI11_PARSE(app, argc, argv);
  settings.charts = !json;
  return run(names, settings, json);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bobbin-bench: %s\n", error.what());
    return 1;
  }
}
