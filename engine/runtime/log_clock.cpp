#include "engine/runtime/log_clock.hpp"

#include <algorithm>
#include <ctime>

namespace bobbin {

namespace {

constexpr Duration wall_lead_max = std::chrono::seconds(1);

class SystemClock final : public Clock {
 public:
  Duration boot_time() override { return read(CLOCK_BOOTTIME); }
  LogTime wall_time() override { return LogTime(read(CLOCK_REALTIME)); }

 private:
  static Duration read(clockid_t id) {
    timespec time{};
    clock_gettime(id, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_nsec / 1000);
  }
};

}  // namespace

LogClock::LogClock(Clock& clock) : clock_(clock), last_boot_(clock.boot_time()), now_(clock.wall_time()) {}

void LogClock::resume(LogTime last_time, Elapsed last_elapsed) {
  last_boot_ = clock_.boot_time();
  now_ = std::max(last_time, clock_.wall_time());
  elapsed_ = last_elapsed;
}

std::optional<LogTime> LogClock::advance() {
  const auto boot = clock_.boot_time();
  const auto passed = std::max(boot - last_boot_, Duration{});
  last_boot_ = std::max(last_boot_, boot);
  now_ = add_saturating(now_, passed);
  elapsed_ += passed;
  const auto wall = clock_.wall_time();
  if (wall <= now_ || wall - now_ <= wall_lead_max) return std::nullopt;
  const auto before = now_;
  now_ = wall;
  return before;
}

std::shared_ptr<Clock> system_clock() { return std::make_shared<SystemClock>(); }

}  // namespace bobbin
