#include "tools/bench/bare_log.hpp"
#include "tools/bench/figure.hpp"
#include "tools/bench/load.hpp"

#include <filesystem>

namespace bobbin::bench {

namespace {

std::filesystem::path engine_directory(const Settings& settings) { return settings.directory + "/engine"; }
std::filesystem::path bare_directory(const Settings& settings) { return settings.directory + "/bare"; }

double per_second(std::uint64_t count, double seconds) { return static_cast<double>(count) / seconds; }

std::uint64_t records_of(const std::vector<CommitShape>& shapes) {
  std::uint64_t records = 0;
  for (const auto& shape : shapes) records += shape.records;
  return records;
}

// The machine's speed drifts: engine and bare loop take turns, and the median of the rounds' ratios counts.
constexpr int rounds = 3;

std::vector<Figure> append_ratio(const Settings& settings) {
  LoadShape shape;
  shape.seconds = settings.seconds / rounds;
  std::vector<double> ratios, loaded_rates, bare_rates, event_rates, cpu_us, commit_sizes, latency_us;
  double lost = 0;
  for (int round = 0; round < rounds; ++round) {
    const auto load = run_load(engine_directory(settings), shape);
    const auto shapes = shapes_of(engine_directory(settings), load.first_lsn, load.commit_lsns);
    const auto bare = append_bare(bare_directory(settings), shapes, 2 * settings.seconds);
    loaded_rates.push_back(per_second(records_of(shapes), load.seconds));
    bare_rates.push_back(per_second(bare.records, bare.seconds));
    ratios.push_back(loaded_rates.back() / bare_rates.back());
    event_rates.push_back(per_second(load.events, load.seconds));
    cpu_us.push_back(1e6 * load.cpu_seconds / static_cast<double>(load.events));
    commit_sizes.push_back(per_second(records_of(shapes), static_cast<double>(shapes.size())));
    latency_us.insert(latency_us.end(), load.latency_us.begin(), load.latency_us.end());
    lost += static_cast<double>(load.events) - static_cast<double>(load.delivered);
  }
  std::filesystem::remove_all(settings.directory);
  return {
      {"append_ratio", median(ratios), "ratio", 0.5, true},
      {"engine_records_per_s", median(loaded_rates), "records/s", {}, true},
      {"bare_records_per_s", median(bare_rates), "records/s", {}, true},
      {"events_per_s", median(event_rates), "events/s", {}, true},
      {"cpu_per_event", median(cpu_us), "us", {}, true},
      {"records_a_commit", median(commit_sizes), "records", {}, true},
      {"latency_p50", quantile(latency_us, 0.5), "us", {}, true},
      {"latency_p99", quantile(latency_us, 0.99), "us", {}, true},
      {"latency_p999", quantile(latency_us, 0.999), "us", {}, true},
      {"latency_max", quantile(latency_us, 1), "us", {}, true},
      {"lost", lost, "events", 0, false},
  };
}

std::vector<Figure> single_latency_ratio(const Settings& settings) {
  LoadShape shape;
  shape.seconds = settings.seconds / rounds;
  std::vector<double> ratios, engine_us, bare_us;
  for (int round = 0; round < rounds; ++round) {
    const auto single = run_single(engine_directory(settings), shape);
    const auto shapes = shapes_of(engine_directory(settings), single.first_lsn, single.commit_lsns);
    const auto bare = append_bare(bare_directory(settings), shapes, settings.seconds);
    engine_us.push_back(median(single.latency_us));
    bare_us.push_back(median(bare.commit_us));
    ratios.push_back(engine_us.back() / bare_us.back());
  }
  std::filesystem::remove_all(settings.directory);
  return {
      {"single_latency_ratio", median(ratios), "ratio", 1.25, false},
      {"engine_median", median(engine_us), "us", {}, true},
      {"bare_commit_median", median(bare_us), "us", {}, true},
  };
}

}  // namespace

std::vector<Benchmark> benchmarks() {
  return {
      {"append_ratio", "records a second against a bare LMDB append of the same sizes", append_ratio},
      {"single_latency_ratio", "one caller's median latency against one bare LMDB commit", single_latency_ratio},
  };
}

}  // namespace bobbin::bench
