// The engine's lanes, run one at a time on the simulation's thread: which one, a seed says.
#pragma once

#include "tests/sim/clock.hpp"
#include "tests/sim/random.hpp"

#include <array>
#include <optional>

namespace bobbin::sim {

class SimExecutor final : public Executor {
 public:
  explicit SimExecutor(std::shared_ptr<SimClock> clock) : clock_(std::move(clock)) {}

  void start(std::function<void(Lane)> work) override { work_ = std::move(work); }
  void wake(Lane lane) override { woken_[index(lane)] = true; }
  void pass_on(Lane, Lane to) override { wake(to); }
  void wake_after(Lane lane, std::optional<Duration> delay) override {
    if (lane != Lane::orchestrator) return;
    wakes_at_ = delay ? std::optional(clock_->boot_time() + *delay) : std::nullopt;
  }
  // A closing engine's commits are as fast as it needs.
  void drive_until(const std::function<bool()>& done) override;
  void stop() override { work_ = nullptr; }

  // Runs one woken lane that nothing holds up; false if there is none.
  bool run_one(Random& random);
  // The writer's commit takes until then: nothing is written before.
  void hold_writer(Duration until) { writer_held_until_ = until; }
  bool writer_held() const { return writer_held_until_ > clock_->boot_time(); }
  // When, in boot time, something is to happen by itself.
  std::optional<Duration> next() const;

 private:
  static std::size_t index(Lane lane) { return static_cast<std::size_t>(lane); }

  std::shared_ptr<SimClock> clock_;
  std::function<void(Lane)> work_;
  std::array<bool, 3> woken_{};
  std::optional<Duration> wakes_at_;
  Duration writer_held_until_{};
};

}  // namespace bobbin::sim
