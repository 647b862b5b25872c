// Log time and elapsed time (S4).
#pragma once

#include <bobbin/ports.hpp>

#include <optional>

namespace bobbin {

class LogClock {
 public:
  explicit LogClock(Clock& clock);

  // Continues after what the log last recorded: at the later of its time and the wall clock.
  void resume(LogTime last_time, Elapsed last_elapsed);

  // Reads the clocks; never goes back. When the wall clock was more than a second ahead, log time has jumped to it and
  // the time before the jump is returned: it is to be recorded.
  std::optional<LogTime> advance();

  LogTime now() const { return now_; }
  Elapsed elapsed() const { return elapsed_; }

 private:
  Clock& clock_;
  Duration last_boot_;
  LogTime now_;
  Elapsed elapsed_{};
};

// CLOCK_BOOTTIME and CLOCK_REALTIME of this machine.
std::shared_ptr<Clock> system_clock();

}  // namespace bobbin
