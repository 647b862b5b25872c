// What an open costs the first calls after it: what stands in the log is read beside them.
#include "tools/bench/bare_log.hpp"
#include "tools/bench/figure.hpp"
#include "tools/bench/load.hpp"

#include <atomic>
#include <chrono>
#include <filesystem>
#include <future>
#include <stdexcept>

namespace bobbin::bench {

namespace {

using SteadyClock = std::chrono::steady_clock;

double milliseconds_since(SteadyClock::time_point begin) {
  return std::chrono::duration<double, std::milli>(SteadyClock::now() - begin).count();
}

// Until all of them are durable; answers come in order.
double calls_at_once_ms(Host& host, std::size_t calls) {
  std::promise<void> last;
  std::atomic<std::size_t> left = calls;
  std::atomic<bool> refused = false;
  const auto begin = SteadyClock::now();
  for (std::size_t i = 0; i < calls; ++i)
    host.raise(i, [&](const Result<Accepted>& accepted) {
      if (!accepted) refused = true;
      if (--left == 0) last.set_value();
    });
  last.get_future().wait();
  if (refused) throw std::runtime_error("an event was refused: the figure is meaningless");
  return milliseconds_since(begin);
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
  const auto first_ms = calls_at_once_ms(host, LoadShape{}.in_flight);
  load_for(host, {}, settings.seconds / 6);
  const auto later_ms = calls_at_once_ms(host, LoadShape{}.in_flight);
  host.drain();
  std::filesystem::remove_all(settings.directory);
  return {
      {"first_calls_ms", first_ms, "ms", {}, false},
      {"open_ms", open_ms, "ms", {}, true},
      {"later_calls_ms", later_ms, "ms", {}, true},
  };
}

}  // namespace bobbin::bench
