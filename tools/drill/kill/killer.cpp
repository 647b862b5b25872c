// Goes before the C library of a process under test (LD_PRELOAD): kills it at its kill point. The process itself knows
// nothing of it.
#include "tools/drill/kill/kill_point.hpp"

#include <dlfcn.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <optional>

namespace {

using bobbin::drill::KilledCall;
using bobbin::drill::KillPoint;

std::optional<KillPoint> told_point() {
  KillPoint point;
  if (!bobbin::drill::read_kill_point(std::getenv(bobbin::drill::kill_point_variable), point)) return std::nullopt;
  return point;
}

void die() {
  ::kill(::getpid(), SIGKILL);
  for (;;) ::pause();
}

template <class Function>
Function real(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

// Makes the call, unless the process dies before it.
template <class Call>
auto made(KilledCall kind, const Call& call) {
  static const auto point = told_point();
  static std::atomic<std::uint32_t> calls{0};
  const bool dies = point && point->call == kind && ++calls == point->number;
  if (dies && !point->after) die();
  const auto result = call();
  if (dies) die();
  return result;
}

}  // namespace

extern "C" {

ssize_t pwrite64(int file, const void* bytes, size_t size, off64_t offset) {
  static const auto pass_on = real<ssize_t (*)(int, const void*, size_t, off64_t)>("pwrite64");
  return made(KilledCall::write, [&] { return pass_on(file, bytes, size, offset); });
}
ssize_t pwrite(int file, const void* bytes, size_t size, off_t offset) { return pwrite64(file, bytes, size, offset); }
ssize_t pwritev64(int file, const iovec* pieces, int count, off64_t offset) {
  static const auto pass_on = real<ssize_t (*)(int, const iovec*, int, off64_t)>("pwritev64");
  return made(KilledCall::write, [&] { return pass_on(file, pieces, count, offset); });
}
ssize_t pwritev(int file, const iovec* pieces, int count, off_t offset) {
  return pwritev64(file, pieces, count, offset);
}
int fsync(int file) {
  static const auto pass_on = real<int (*)(int)>("fsync");
  return made(KilledCall::sync, [&] { return pass_on(file); });
}
int fdatasync(int file) {
  static const auto pass_on = real<int (*)(int)>("fdatasync");
  return made(KilledCall::sync, [&] { return pass_on(file); });
}
ssize_t send(int socket, const void* bytes, size_t size, int flags) {
  static const auto pass_on = real<ssize_t (*)(int, const void*, size_t, int)>("send");
  return made(KilledCall::send, [&] { return pass_on(socket, bytes, size, flags); });
}
ssize_t sendto(int socket, const void* bytes, size_t size, int flags, const sockaddr* to, socklen_t to_size) {
  static const auto pass_on = real<ssize_t (*)(int, const void*, size_t, int, const sockaddr*, socklen_t)>("sendto");
  return made(KilledCall::send, [&] { return pass_on(socket, bytes, size, flags, to, to_size); });
}
ssize_t sendmsg(int socket, const msghdr* message, int flags) {
  static const auto pass_on = real<ssize_t (*)(int, const msghdr*, int)>("sendmsg");
  return made(KilledCall::send, [&] { return pass_on(socket, message, flags); });
}
}
