// Goes before the C library in a process under test (LD_PRELOAD): lets writes and syncs of its log fail, and shifts its
// wall clock, as FaultControl says. The process itself knows nothing of it.
#include "tests/faults/fault_control.hpp"
#include "tools/drill/clock/shifted_clock.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
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

template <class Function>
Function real(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
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

// The result of a write that is to fail; `write_half` writes the first half of it.
template <class WriteHalf>
ssize_t failed_write(const WriteHalf& write_half) {
  if (control()->fault == Fault::cut_short) return write_half();
  errno = error_number();
  return -1;
}

int sync_file(const char* name, int file) {
  if (!fails(file, true)) return real<int (*)(int)>(name)(file);
  errno = error_number();
  return -1;
}

ssize_t write_at(const char* name, int file, const void* bytes, size_t size, off64_t offset) {
  const auto pass_on = real<ssize_t (*)(int, const void*, size_t, off64_t)>(name);
  if (!fails(file, false)) return pass_on(file, bytes, size, offset);
  return failed_write([&] { return pass_on(file, bytes, size / 2, offset); });
}

ssize_t write_pieces_at(const char* name, int file, const iovec* pieces, int count, off64_t offset) {
  if (!fails(file, false)) return real<ssize_t (*)(int, const iovec*, int, off64_t)>(name)(file, pieces, count, offset);
  return failed_write([&] {
    return real<ssize_t (*)(int, const void*, size_t, off64_t)>("pwrite64")(file, pieces[0].iov_base,
                                                                            pieces[0].iov_len / 2, offset);
  });
}

}  // namespace

std::int64_t bobbin::drill::wall_shift_us() noexcept { return control() ? control()->wall_offset_us.load() : 0; }

extern "C" {

ssize_t pwrite(int file, const void* bytes, size_t size, off_t offset) {
  return write_at("pwrite64", file, bytes, size, offset);
}
ssize_t pwrite64(int file, const void* bytes, size_t size, off64_t offset) {
  return write_at("pwrite64", file, bytes, size, offset);
}
ssize_t pwritev(int file, const iovec* pieces, int count, off_t offset) {
  return write_pieces_at("pwritev64", file, pieces, count, offset);
}
ssize_t pwritev64(int file, const iovec* pieces, int count, off64_t offset) {
  return write_pieces_at("pwritev64", file, pieces, count, offset);
}
ssize_t write(int file, const void* bytes, size_t size) {
  static const auto pass_on = real<ssize_t (*)(int, const void*, size_t)>("write");
  if (!fails(file, false)) return pass_on(file, bytes, size);
  return failed_write([&] { return pass_on(file, bytes, size / 2); });
}
ssize_t writev(int file, const iovec* pieces, int count) {
  if (!fails(file, false)) return real<ssize_t (*)(int, const iovec*, int)>("writev")(file, pieces, count);
  return failed_write([&] {
    return real<ssize_t (*)(int, const void*, size_t)>("write")(file, pieces[0].iov_base, pieces[0].iov_len / 2);
  });
}
int fsync(int file) { return sync_file("fsync", file); }
int fdatasync(int file) { return sync_file("fdatasync", file); }
}
