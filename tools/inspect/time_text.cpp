#include "tools/inspect/time_text.hpp"

#include <cstdio>
#include <ctime>

namespace bobbin::inspect {

std::string time_text(LogTime time) {
  // Rounded down by hand: the full second below the earliest time does not fit in microseconds.
  const auto ticks = time.time_since_epoch().count();
  auto micros = static_cast<int>(ticks % 1'000'000);
  std::time_t unix_time = ticks / 1'000'000;
  if (micros < 0) {
    micros += 1'000'000;
    --unix_time;
  }
  std::tm parts{};
  gmtime_r(&unix_time, &parts);
  char text[64];
  const auto size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text + size, sizeof text - size, ".%06dZ", micros);
  return text;
}

}  // namespace bobbin::inspect
