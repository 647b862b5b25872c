// What an open costs the first calls after it: what stands in the log is read beside them.
#include "tools/bench/bare_log.hpp"
#include "tools/bench/figure.hpp"
#include "tools/bench/load.hpp"

#include <chrono>
#include <filesystem>

namespace bobbin::bench {

namespace {

using SteadyClock = std::chrono::steady_clock;

double milliseconds_since(SteadyClock::time_point begin) {
  return std::chrono::duration<double, std::milli>(SteadyClock::now() - begin).count();
}

// As many as may be in flight, until all of them are durable.
double calls_at_once_ms(Host& host) {
  const LoadShape shape;
  const auto until = host.raised() + shape.in_flight;
  return 1e3 * load(host, shape, [&host, until] { return host.raised() >= until; }).seconds;
}

}  // namespace

std::vector<Figure> first_calls_ms(const Settings& settings) {
  const auto log = fresh_directory(settings.directory) / "engine";
  {
    Host host(log, {});
    load_records(host, {}, settings.earlier);
    host.drain();
  }
  const auto begin = SteadyClock::now();
  Host host(log, {});
  const auto open_ms = milliseconds_since(begin);
  const auto first_ms = calls_at_once_ms(host);
  load_for(host, {}, settings.seconds / 6);
  const auto later_ms = calls_at_once_ms(host);
  host.drain();
  std::filesystem::remove_all(settings.directory);
  return {
      {"first_calls_ms", first_ms, "ms", {}, false},
      {"open_ms", open_ms, "ms", {}, true},
      {"later_calls_ms", later_ms, "ms", {}, true},
  };
}

}  // namespace bobbin::bench
