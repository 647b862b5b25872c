#include "tools/drill/clock/wall_clock.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <new>
#include <system_error>

namespace bobbin::drill {

WallClock::WallClock(std::filesystem::path file) : file_(std::move(file)) {
  using Shift = std::atomic<std::int64_t>;
  const int descriptor = ::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  const bool is_sized = descriptor >= 0 && ::ftruncate(descriptor, sizeof(Shift)) == 0;
  void* place =
      is_sized ? ::mmap(nullptr, sizeof(Shift), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0) : MAP_FAILED;
  const int error = errno;
  if (descriptor >= 0) ::close(descriptor);
  if (place == MAP_FAILED) throw std::system_error(error, std::generic_category(), "cannot make " + file_.string());
  shift_us_ = new (place) Shift(0);
}

WallClock::~WallClock() { ::munmap(shift_us_, sizeof *shift_us_); }

std::vector<Variable> WallClock::given_by(const std::filesystem::path& library) const {
  return {preloaded(library), {wall_clock_variable, file_}};
}

}  // namespace bobbin::drill
