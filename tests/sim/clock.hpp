// Virtual time, and what log time must be by S4 at every moment, worked out apart from the engine's own clock.
#pragma once

#include <bobbin/ports.hpp>

#include <algorithm>

namespace bobbin::sim {

class SimClock final : public Clock {
 public:
  Duration boot_time() override { return boot_; }
  // The engine reads both clocks together, this one last: then log time moves.
  LogTime wall_time() override {
    const auto passed = boot_ - looked_at_;
    looked_at_ = boot_;
    log_time_ += passed;
    elapsed_ += passed;
    if (wall_ - log_time_ > std::chrono::seconds(1)) log_time_ = wall_;
    return wall_;
  }

  void advance(Duration passed) {
    boot_ += passed;
    wall_ += passed;
  }
  void move_wall(Duration by) { wall_ += by; }

  // A process dies; none of its life counts if it could not write to its log.
  void died(bool wrote) {
    lived_ = wrote ? lives() : Duration{};
    died_at_ = boot_;
  }
  Duration lived() const { return lived_; }
  Duration died_at() const { return died_at_; }
  // So long does the life last that has not ended.
  Duration lives() const { return boot_ - opened_at_; }
  // The machine starts again; its other clock counts from nothing.
  void reboot() { boot_ = Duration(1); }
  // An engine opens a log that ends at these times.
  void opened(LogTime last, Elapsed elapsed) {
    looked_at_ = opened_at_ = boot_;
    log_time_ = std::max(last, wall_);
    elapsed_ = elapsed;
  }

  LogTime log_time() const { return log_time_; }
  Elapsed elapsed() const { return elapsed_; }

 private:
  Duration boot_{std::chrono::hours(1)};
  LogTime wall_{std::chrono::seconds(1'700'000'000)};
  Duration looked_at_{};
  LogTime log_time_{};
  Elapsed elapsed_{};
  Duration opened_at_{};
  Duration lived_{};
  Duration died_at_{};
};

}  // namespace bobbin::sim
