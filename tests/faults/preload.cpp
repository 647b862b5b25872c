// Goes before the C library in a process under test (LD_PRELOAD): lets writes and syncs of its log fail, and shifts its
// wall clock, as FaultControl says. The process itself knows nothing of it.
#include "tests/faults/fault_control.hpp"
#include "tools/drill/clock/shifted_clock.hpp"
#include "tools/drill/preload/file_calls.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace {

using bobbin::faults::Fault;
using bobbin::faults::FaultControl;
using bobbin::faults::Target;

FaultControl* map_control() {
  const char* name = std::getenv(bobbin::faults::control_variable);
  const int file = name ? ::open(name, O_RDWR | O_CLOEXEC) : -1;
  if (file < 0) return nullptr;
  void* place = ::mmap(nullptr, sizeof(FaultControl), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  ::close(file);
  return place == MAP_FAILED ? nullptr : static_cast<FaultControl*>(place);
}

FaultControl* control() {
  static FaultControl* const mapped = map_control();
  return mapped;
}

// The data file of the log, or a directory of it.
bool is_of_log(const FaultControl& faults, int file) {
  char link[32];
  char path[512];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  const auto size = ::readlink(link, path, sizeof path);
  if (size <= 0) return false;
  const std::string_view name(path, static_cast<std::size_t>(size));
  if (!name.starts_with(faults.directory)) return false;
  struct stat status {};
  return name.ends_with("/data.mdb") || (::fstat(file, &status) == 0 && S_ISDIR(status.st_mode));
}

bool is_meta(int file) { return (::fcntl(file, F_GETFL) & O_DSYNC) != 0; }

bool is_target(Target target, int file, bool syncing) {
  switch (target) {
    case Target::none:
      return false;
    case Target::any:
      return true;
    case Target::write:
      return !syncing;
    case Target::meta_write:
      return !syncing && is_meta(file);
    case Target::sync:
      return syncing;
  }
  return false;
}

// Whether this call is to fail.
bool fails(int file, bool syncing) {
  auto* faults = control();
  if (!faults) return false;
  const auto target = faults->target.load();
  if (target == Target::none || !is_of_log(*faults, file) || !is_target(target, file, syncing)) return false;
  const auto call = ++faults->calls;
  const auto failing = faults->failing_call.load();
  if (call != failing && !(faults->lasting && call > failing)) return false;
  ++faults->failed;
  return true;
}

int error_number() { return control()->fault == Fault::enospc ? ENOSPC : EIO; }

}  // namespace

std::int64_t bobbin::drill::wall_shift_us() noexcept { return control() ? control()->wall_offset_us.load() : 0; }

ssize_t bobbin::drill::on_write(const FileWrite& call) {
  if (!fails(call.file, false)) return call.pass_on();
  if (control()->fault == Fault::cut_short) {
    const iovec half{call.pieces[0].iov_base, call.pieces[0].iov_len / 2};
    return FileWrite{call.file, &half, 1, call.offset}.pass_on();
  }
  errno = error_number();
  return -1;
}

int bobbin::drill::on_sync(const FileSync& call) {
  if (!fails(call.file, true)) return call.pass_on();
  errno = error_number();
  return -1;
}
