// A gateway that takes a jump of the wall clock for time that has passed, as one does who reads the wrong clock: what
// it must remember for an hour is forgotten at once. The clock drill must find that out.
#include "tools/gateway/program.hpp"

#include <bobbin/lmdb.hpp>

#include <dlfcn.h>
#include <time.h>

#include <algorithm>
#include <atomic>

namespace {

using GetTime = int (*)(clockid_t, timespec*);

time_t seconds(GetTime get_time, clockid_t id) {
  timespec now{};
  get_time(id, &now);
  return now.tv_sec;
}

// By how much the wall clock is ahead of the machine's own, at most so far.
time_t furthest_lead(GetTime get_time) {
  static std::atomic<time_t> furthest{0};
  const auto lead = seconds(get_time, CLOCK_REALTIME) - seconds(get_time, CLOCK_BOOTTIME);
  auto known = furthest.load();
  while (known < lead && !furthest.compare_exchange_weak(known, lead)) {
  }
  return std::max(known, lead);
}

}  // namespace

// A program's own functions go before those of libraries.
extern "C" int clock_gettime(clockid_t id, timespec* time) noexcept {
  static const auto pass_on = reinterpret_cast<GetTime>(::dlsym(RTLD_NEXT, "clock_gettime"));
  const auto result = pass_on(id, time);
  if (id == CLOCK_BOOTTIME) time->tv_sec += furthest_lead(pass_on);
  return result;
}

int main(int argc, char** argv) { return bobbin::gateway::run_program(argc, argv, bobbin::open_lmdb); }
