// A whole engine on the test's own thread: lanes run when the test says, in the order that a seed says.
#pragma once

#include <bobbin/ports.hpp>

#include <array>
#include <atomic>
#include <deque>
#include <random>

namespace bobbin::testing {

class VirtualClock final : public Clock {
 public:
  explicit VirtualClock(LogTime wall = LogTime(std::chrono::seconds(1'700'000'000))) : wall_(wall) {}
  Duration boot_time() override { return boot_; }
  LogTime wall_time() override { return wall_; }
  void advance(Duration passed) {
    boot_ += passed;
    wall_ += passed;
  }
  void set_wall(LogTime wall) { wall_ = wall; }

 private:
  Duration boot_{};
  LogTime wall_;
};

class ManualExecutor final : public Executor {
 public:
  explicit ManualExecutor(std::uint64_t seed = 1) : random_(seed) {}

  void start(std::function<void(Lane)> work) override { work_ = std::move(work); }
  void wake(Lane lane) override { woken_[index(lane)] = true; }
  void pass_on(Lane, Lane to) override { wake(to); }
  void wake_after(Lane lane, std::optional<Duration> delay) override {
    if (lane == Lane::orchestrator) next_delay_ = delay;
  }
  void drive_until(const std::function<bool()>& done) override {
    while (!done()) {
      wake(Lane::orchestrator);
      run_all();
    }
  }
  void stop() override { work_ = nullptr; }

  // Runs one woken lane, chosen by the seed; false if none is woken.
  bool run_one();
  // Runs one lane if it is woken.
  bool run(Lane lane);
  // Runs until no lane is woken.
  void run_all() {
    while (run_one()) {
    }
  }
  // How long after its last run the orchestrator wants to run next.
  std::optional<Duration> next_delay() const { return next_delay_; }

 private:
  static std::size_t index(Lane lane) { return static_cast<std::size_t>(lane); }

  std::function<void(Lane)> work_;
  std::array<std::atomic<bool>, 3> woken_{};  // also by other threads, whose blocking calls a test drives
  std::optional<Duration> next_delay_;
  std::mt19937_64 random_;
};

// Activities wait here until the test ends them.
class ManualRunner final : public ActivityRunner {
 public:
  std::size_t capacity() const override { return capacity_; }
  void run(ActivityTask task) override { tasks.push_back(std::move(task)); }
  bool stop(Duration) override { return true; }

  std::deque<ActivityTask> tasks;
  std::size_t capacity_ = 1'000;
};

}  // namespace bobbin::testing
