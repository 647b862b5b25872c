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

std::vector<Figure> append_ratio(const Settings& settings) {
  LoadShape shape;
  shape.seconds = settings.seconds;
  const auto load = run_load(engine_directory(settings), shape);
  auto shapes = shapes_of(engine_directory(settings), load.first_lsn, load.commit_lsns);
  // The tail after the load, in which windows close and batches leave, is no part of the comparison.
  const auto loaded = per_second(records_of(shapes), load.seconds);
  const auto bare = append_bare(bare_directory(settings), shapes, 2 * settings.seconds);
  std::filesystem::remove_all(settings.directory);
  const auto bare_rate = per_second(bare.records, bare.seconds);
  return {
      {"append_ratio", loaded / bare_rate, "ratio", 0.5, true},
      {"engine_records_per_s", loaded, "records/s", {}, true},
      {"bare_records_per_s", bare_rate, "records/s", {}, true},
      {"events_per_s", per_second(load.events, load.seconds), "events/s", {}, true},
      {"records_a_commit", per_second(records_of(shapes), static_cast<double>(shapes.size())), "records", {}, true},
      {"latency_p50", quantile(load.latency_us, 0.5), "us", {}, true},
      {"latency_p99", quantile(load.latency_us, 0.99), "us", {}, true},
      {"latency_p999", quantile(load.latency_us, 0.999), "us", {}, true},
      {"batches", static_cast<double>(load.batches), "batches", {}, true},
      {"lost", static_cast<double>(load.events - load.delivered), "events", 0, false},
  };
}

std::vector<Figure> single_latency_ratio(const Settings& settings) {
  LoadShape shape;
  shape.seconds = settings.seconds;
  const auto single = run_single(engine_directory(settings), shape);
  const std::vector<CommitShape> one_by_one(1'000'000, CommitShape{1, {shape.event_bytes + 200}});
  const auto bare = append_bare(bare_directory(settings), one_by_one, settings.seconds);
  std::filesystem::remove_all(settings.directory);
  const auto engine_us = median(single.latency_us);
  const auto bare_us = median(bare.commit_us);
  return {
      {"single_latency_ratio", engine_us / bare_us, "ratio", 1.25, false},
      {"engine_median", engine_us, "us", {}, true},
      {"bare_commit_median", bare_us, "us", {}, true},
      {"engine_p99", quantile(single.latency_us, 0.99), "us", {}, true},
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
