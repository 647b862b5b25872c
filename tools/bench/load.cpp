#include "tools/bench/load.hpp"

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <ctime>
#include <mutex>
#include <thread>

namespace bobbin::bench {

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr int events_a_look = 64;
constexpr int events_a_sample = 64;

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

double seconds_since(SteadyClock::time_point begin) {
  return std::chrono::duration<double>(SteadyClock::now() - begin).count();
}

// As many calls in flight as allowed. A loader that has to wait goes on when an eighth of them has landed: waking it
// for each one would measure the scheduler.
class Flight {
 public:
  explicit Flight(std::size_t limit) : limit_(limit), resume_at_(limit - limit / 8) {}
  void take_off() {
    if (++flying_ <= limit_) return;
    std::unique_lock lock(mutex_);
    waiting_ = true;
    room_.wait(lock, [this] { return flying_ <= resume_at_; });
    waiting_ = false;
  }
  void land() {
    if (--flying_ == resume_at_ && waiting_) {
      const std::lock_guard lock(mutex_);
      room_.notify_one();
    }
  }
  void wait_for_all() {
    while (flying_ > 0) std::this_thread::yield();
  }

 private:
  const std::size_t limit_;
  const std::size_t resume_at_;
  std::atomic<std::size_t> flying_{0};
  std::atomic<bool> waiting_{false};
  std::mutex mutex_;
  std::condition_variable room_;
};

}  // namespace

Stretch load(Host& host, const LoadShape& shape, const std::function<bool()>& enough) {
  Flight flight(shape.in_flight);
  Stretch stretch;
  std::mutex latency_mutex;
  stretch.first_lsn = host.engine().stats().last_lsn + 1;
  host.commits().begin();
  const auto begin = SteadyClock::now();
  const auto cpu_begin = cpu_seconds();
  while (!enough()) {
    for (int i = 0; i < events_a_look; ++i) {
      flight.take_off();
      const auto sampled = stretch.events % events_a_sample == 0;
      const auto sent = SteadyClock::now();
      host.raise(shape.first_key + stretch.events++ % shape.keys, [&, sent, sampled](const Result<Accepted>& accepted) {
        if (!accepted) {  // the load stays within every bound: a refusal makes the figure meaningless
          std::fprintf(stderr, "bobbin-bench: an event was refused: %s\n", accepted.error.message.c_str());
          std::abort();
        }
        if (sampled) {
          const std::lock_guard lock(latency_mutex);
          stretch.latency_us.push_back(1e6 * seconds_since(sent));
        }
        flight.land();
      });
    }
    while (shape.events_per_s > 0 && static_cast<double>(stretch.events) > seconds_since(begin) * shape.events_per_s)
      std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  flight.wait_for_all();
  stretch.seconds = seconds_since(begin);
  stretch.cpu_seconds = cpu_seconds() - cpu_begin;
  stretch.commit_lsns = host.commits().end();
  return stretch;
}

Stretch load_for(Host& host, const LoadShape& shape, double seconds) {
  const auto begin = SteadyClock::now();
  return load(host, shape, [begin, seconds] { return seconds_since(begin) >= seconds; });
}

void load_each_key(Host& host, const LoadShape& shape) {
  const auto until = host.raised() + shape.keys;
  load(host, shape, [&host, until] { return host.raised() >= until; });
}

void load_records(Host& host, const LoadShape& shape, std::uint64_t records) {
  load(host, shape, [&host, records] { return host.engine().stats().last_lsn >= records; });
}

Stretch call_for(Host& host, const LoadShape& shape, double seconds) {
  Stretch stretch;
  stretch.first_lsn = host.engine().stats().last_lsn + 1;
  host.commits().begin();
  const auto begin = SteadyClock::now();
  while (seconds_since(begin) < seconds) {
    const auto sent = SteadyClock::now();
    host.raise(stretch.events++ % shape.keys);
    stretch.latency_us.push_back(1e6 * seconds_since(sent));
  }
  stretch.seconds = seconds_since(begin);
  stretch.commit_lsns = host.commits().end();
  return stretch;
}

}  // namespace bobbin::bench
