// Goes before the C library of a process under test (LD_PRELOAD): kills it at its kill point. The process itself knows
// nothing of it.
#include "tools/drill/kill/kill_point.hpp"
#include "tools/drill/preload/file_calls.hpp"
#include "tools/drill/preload/real.hpp"

#include <signal.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <optional>

namespace {

using bobbin::drill::KilledCall;
using bobbin::drill::KillPoint;
using bobbin::drill::real;

std::optional<KillPoint> told_point() {
  KillPoint point;
  if (!bobbin::drill::read_kill_point(std::getenv(bobbin::drill::kill_point_variable), point)) return std::nullopt;
  return point;
}

void die() {
  ::kill(::getpid(), SIGKILL);
  for (;;) ::pause();
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

// What goes to a place in a file, as the log does; not what is said to people.
ssize_t bobbin::drill::on_write(const FileWrite& call) {
  if (call.offset < 0) return call.pass_on();
  return made(KilledCall::write, [&] { return call.pass_on(); });
}

int bobbin::drill::on_sync(const FileSync& call) {
  return made(KilledCall::sync, [&] { return call.pass_on(); });
}

extern "C" {

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
