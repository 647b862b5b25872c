// What an open costs the first calls after it: what stands in the log is read beside them.
#include "tools/bench/bare_log.hpp"
#include "tools/bench/figure.hpp"
#include "tools/bench/load.hpp"

#include <chrono>

namespace bobbin::bench {

namespace {

using SteadyClock = std::chrono::steady_clock;

double milliseconds_since(SteadyClock::time_point begin) {
  return std::chrono::duration<double, std::milli>(SteadyClock::now() - begin).count();
}

}  // namespace

std::vector<Figure> first_calls_ms(const Settings& settings) {
  constexpr double first_seconds = 3;
  const auto log = fresh_directory(settings.directory) / "engine";
  {
    Host host(log, {});
    load_records(host, {}, settings.earlier);
    host.drain();
  }
  const auto begin = SteadyClock::now();
  Host host(log, {});
  const auto open_ms = milliseconds_since(begin);
  const auto first = load_for(host, {}, first_seconds);
  const auto after = load_for(host, {}, first_seconds);
  host.drain();
  std::filesystem::remove_all(settings.directory);
  return {
      {"first_calls_ms", quantile(first.latency_us, 1) / 1e3, "ms", {}, false},
      {"open_ms", open_ms, "ms", {}, true},
      {"events_per_s_at_first", first.events_per_s(), "events/s", {}, true},
      {"events_per_s_then", after.events_per_s(), "events/s", {}, true},
      {"latency_max_then", quantile(after.latency_us, 1), "us", {}, true},
  };
}

}  // namespace bobbin::bench
