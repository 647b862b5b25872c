#include "tools/inspect/time_text.hpp"

#include <cstdio>
#include <ctime>

namespace bobbin::inspect {

std::string time_text(LogTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto micros = static_cast<int>((time - seconds).count());
  const std::time_t unix_time = seconds.time_since_epoch().count();
  std::tm parts{};
  gmtime_r(&unix_time, &parts);
  char text[64];
  const auto size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text + size, sizeof text - size, ".%06dZ", micros);
  return text;
}

}  // namespace bobbin::inspect
