// What a million waiting instances cost: memory, and time until a killed process serves again.
#include "tools/bench/bare_log.hpp"
#include "tools/bench/figure.hpp"
#include "tools/bench/load.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace bobbin::bench {

namespace {

using SteadyClock = std::chrono::steady_clock;  // one clock for all processes of the machine

constexpr int kills = 5;
constexpr auto load_before_kill = std::chrono::seconds(2);
// By then all that is cold has left memory, and the allocator has given it back.
constexpr auto settling = std::chrono::seconds(15);

double own_anonymous_bytes() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word)
    if (word == "RssAnon:") {
      double kib = 0;
      status >> kib;
      return 1024 * kib;
    }
  throw std::runtime_error("/proc/self/status shows no RssAnon");
}

// A process of its own, forked while there is one thread only. It reports figures; then it works until it is killed.
class Child {
 public:
  using Report = std::function<void(double)>;

  explicit Child(const std::function<void(const Report&)>& work) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("no pipe for a child process");
    std::fflush(stdout);
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("no child process");
    reports_ = ends[0];
    if (pid_ == 0) run(ends[1], work);
    ::close(ends[1]);
  }
  ~Child() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    ::close(reports_);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  double next_report() const {
    double value = 0;
    if (::read(reports_, &value, sizeof value) != sizeof value)
      throw std::runtime_error("a child process ended before it reported");
    return value;
  }

 private:
  [[noreturn]] static void run(int reports, const std::function<void(const Report&)>& work) {
    try {
      work([reports](double value) {
        if (::write(reports, &value, sizeof value) != sizeof value) ::_exit(1);
      });
    } catch (const std::exception& error) {
      std::fprintf(stderr, "bobbin-bench: %s\n", error.what());
    }
    ::_exit(1);
  }

  pid_t pid_ = 0;
  int reports_ = -1;
};

const HostShape hour_windows{std::chrono::hours(1), 1'000, 300};

void load_for_ever(Host& host, std::size_t keys) {
  LoadShape shape;
  shape.keys = keys;
  load(host, shape, [] { return false; });
}

void fill_earlier(const std::filesystem::path& log, const Settings& settings) {
  const Child child([&](const Child::Report& report) {
    {
      Host host(log, {});
      load_records(host, {}, settings.earlier);
      host.drain();
    }
    report(0);
  });
  child.next_report();
}

struct Filled {
  double capped_bytes = 0;  // with as many instances as may be resident
  double full_bytes = 0;
};

// Goes from `from` to `to` waiting instances, and is killed under load.
Filled fill(const std::filesystem::path& log, std::size_t from, std::size_t to) {
  const Child child([&](const Child::Report& report) {
    Host host(log, hour_windows);
    const auto fill_to = [&](std::size_t end) {
      LoadShape shape;
      shape.first_key = from;
      shape.keys = end - from;
      if (shape.keys > 0) load_each_key(host, shape);
      from = end;
      std::this_thread::sleep_for(settling);
      report(own_anonymous_bytes());
    };
    fill_to(std::min(from + EngineOptions{}.resident_instances, to));
    fill_to(to);
    load_for_ever(host, to);
  });
  Filled filled;
  filled.capped_bytes = child.next_report();
  filled.full_bytes = child.next_report();
  std::this_thread::sleep_for(load_before_kill);
  return filled;
}

// Opens the log of a killed process: milliseconds from before the new one exists until its first call is durable.
std::vector<double> ready_ms(const std::filesystem::path& log, std::size_t instances) {
  std::vector<double> ready;
  for (int i = 0; i < kills; ++i) {
    const auto begin = SteadyClock::now();
    const Child child([&](const Child::Report& report) {
      Host host(log, hour_windows);
      host.raise(instances / 2);
      report(std::chrono::duration<double, std::milli>(SteadyClock::now() - begin).count());
      load_for_ever(host, instances);
    });
    ready.push_back(child.next_report());
    std::this_thread::sleep_for(load_before_kill);
  }
  return ready;
}

}  // namespace

std::vector<Figure> waiting(const Settings& settings) {
  const auto log = fresh_directory(settings.directory) / "engine";
  const auto many = settings.waiting;
  const auto cap = EngineOptions{}.resident_instances;
  fill_earlier(log, settings);
  const auto once = fill(log, 0, many);
  const auto ready_once = ready_ms(log, many);
  const auto twice = fill(log, many, 2 * many);
  const auto ready_twice = ready_ms(log, 2 * many);
  std::filesystem::remove_all(settings.directory);
  return {
      {"waiting_bytes", (once.full_bytes - once.capped_bytes) / static_cast<double>(many - cap), "bytes", 100, false},
      {"anonymous_at_cap", once.capped_bytes / 1e6, "MB", {}, true},
      {"anonymous_at_once", once.full_bytes / 1e6, "MB", {}, true},
      {"anonymous_at_twice", twice.full_bytes / 1e6, "MB", {}, true},
      {"ready_ms", median(ready_once), "ms", 250, false},
      {"ready_longest_ms", quantile(ready_once, 1), "ms", {}, true},
      {"ready_twice_ms", median(ready_twice), "ms", 250, false},
      {"ready_twice_ratio", median(ready_twice) / median(ready_once), "ratio", 1.1, false},
  };
}

}  // namespace bobbin::bench
