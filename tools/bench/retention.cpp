// What retention does to a log: how fast history goes, and that the file stops growing.
#include "tools/bench/bare_log.hpp"
#include "tools/bench/chart.hpp"
#include "tools/bench/figure.hpp"
#include "tools/bench/load.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>

namespace bobbin::bench {

namespace {

using SteadyClock = std::chrono::steady_clock;

double seconds_since(SteadyClock::time_point begin) {
  return std::chrono::duration<double>(SteadyClock::now() - begin).count();
}

std::chrono::microseconds microseconds(double seconds) {
  return std::chrono::microseconds(static_cast<std::int64_t>(1e6 * seconds));
}

}  // namespace

std::vector<Figure> purge_records_per_s(const Settings& settings) {
  const auto log = fresh_directory(settings.directory) / "engine";
  double full_speed = 0;
  {
    Host host(log, {});
    load_records(host, {}, settings.earlier);
    full_speed = load_for(host, {}, settings.seconds / 6).events_per_s();
    host.drain();
  }
  EngineOptions options;
  options.retention = std::chrono::seconds(1);
  Host host(log, {}, options);
  LoadShape half;
  half.events_per_s = full_speed / 2;
  const auto enough = settings.earlier / 10 * 9;
  const auto begin = SteadyClock::now();
  double purged = 0;
  double seconds = 0;
  const auto stretch = load(host, half, [&] {
    const auto so_far = host.engine().stats().purged;
    if (so_far < enough) {
      purged = static_cast<double>(so_far);
      seconds = seconds_since(begin);
    }
    return so_far >= enough || seconds_since(begin) > settings.seconds;
  });
  host.drain();
  std::filesystem::remove_all(settings.directory);
  return {
      {"purge_records_per_s", purged / seconds, "records/s", 300'000, true},
      {"appended_events_per_s", stretch.events_per_s(), "events/s", {}, true},
      {"half_speed", half.events_per_s, "events/s", {}, true},
      {"latency_p50", quantile(stretch.latency_us, 0.5), "us", {}, true},
      {"latency_p99", quantile(stretch.latency_us, 0.99), "us", {}, true},
      {"latency_max", quantile(stretch.latency_us, 1), "us", {}, true},
  };
}

// The file may grow for one retention and one dedup horizon, and is given four more to stay as it is.
std::vector<Figure> plateau(const Settings& settings) {
  constexpr double load_events_per_s = 20'000;
  const auto log = fresh_directory(settings.directory) / "engine";
  EngineOptions options;
  options.retention = options.dedup_horizon = microseconds(settings.seconds / 6);
  options.mailbox_time_to_live = options.retention;
  Host host(log, {}, options);
  LoadShape shape;
  shape.events_per_s = load_events_per_s;
  std::vector<double> sizes_mb;
  const auto begin = SteadyClock::now();
  const auto sample_seconds = settings.seconds / 60;
  load(host, shape, [&] {
    const auto elapsed = seconds_since(begin);
    if (elapsed >= sample_seconds * static_cast<double>(sizes_mb.size()))
      sizes_mb.push_back(static_cast<double>(std::filesystem::file_size(log / "data.mdb")) / 1e6);
    return elapsed >= settings.seconds;
  });
  const auto purged = host.engine().stats().purged;
  host.drain();
  std::filesystem::remove_all(settings.directory);
  if (settings.charts) std::fputs(chart("MB in the log's file, over time", sizes_mb).c_str(), stdout);
  const auto at_half = sizes_mb[sizes_mb.size() / 2];
  return {
      {"plateau", sizes_mb.back() / at_half, "ratio", 1.1, false},
      {"file_at_half", at_half, "MB", {}, true},
      {"file_at_end", sizes_mb.back(), "MB", {}, true},
      {"purged", static_cast<double>(purged), "records", {}, true},
  };
}

}  // namespace bobbin::bench
