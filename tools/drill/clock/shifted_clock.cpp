#include "tools/drill/clock/shifted_clock.hpp"

#include "tools/drill/preload/real.hpp"

#include <sys/time.h>
#include <time.h>

namespace {

using bobbin::drill::real;

constexpr std::int64_t us_per_s = 1'000'000;

}  // namespace

extern "C" {

int clock_gettime(clockid_t id, timespec* time) noexcept {
  static const auto pass_on = real<int (*)(clockid_t, timespec*)>("clock_gettime");
  const auto result = pass_on(id, time);
  if (result != 0 || (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE)) return result;
  const auto shift = bobbin::drill::wall_shift_us();
  if (shift == 0) return result;
  const auto us = time->tv_sec * us_per_s + time->tv_nsec / 1'000 + shift;
  time->tv_sec = us / us_per_s;
  time->tv_nsec = us % us_per_s * 1'000;
  return result;
}
int gettimeofday(timeval* time, void* zone) noexcept {
  static const auto pass_on = real<int (*)(timeval*, void*)>("gettimeofday");
  const auto result = pass_on(time, zone);
  const auto shift = bobbin::drill::wall_shift_us();
  if (result != 0 || shift == 0) return result;
  const auto us = time->tv_sec * us_per_s + time->tv_usec + shift;
  time->tv_sec = us / us_per_s;
  time->tv_usec = us % us_per_s;
  return result;
}
time_t time(time_t* result) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (result) *result = now.tv_sec;
  return now.tv_sec;
}
}
