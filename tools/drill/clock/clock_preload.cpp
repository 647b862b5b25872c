// Goes before the C library in a process under test (LD_PRELOAD): its wall clock is shifted as WallClock says.
#include "tools/drill/clock/shifted_clock.hpp"
#include "tools/drill/clock/wall_clock.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>

namespace {

using Shift = std::atomic<std::int64_t>;

const Shift* map_shift() {
  const char* name = std::getenv(bobbin::drill::wall_clock_variable);
  const int file = name ? ::open(name, O_RDONLY | O_CLOEXEC) : -1;
  if (file < 0) return nullptr;
  void* place = ::mmap(nullptr, sizeof(Shift), PROT_READ, MAP_SHARED, file, 0);
  ::close(file);
  return place == MAP_FAILED ? nullptr : static_cast<const Shift*>(place);
}

}  // namespace

std::int64_t bobbin::drill::wall_shift_us() noexcept {
  static const Shift* const shift = map_shift();
  return shift ? shift->load() : 0;
}
