#include "tests/storage/forked.hpp"

#include <bobbin/error.hpp>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <exception>
#include <stdexcept>

namespace bobbin::test {

namespace {

std::string outcome_of(const std::function<std::string()>& act) {
  try {
    return act();
  } catch (const Error& error) {
    return std::string(to_string(error.code())) + ": " + error.what();
  } catch (const std::exception& error) {
    return std::string("not an error of ours: ") + error.what();
  }
}

// A child that runs longer goes in circles, and dies of SIGALRM.
constexpr unsigned hang_limit_s = 30;

// doctest reports such signals as failures of the test, in the child too.
void die_plainly() {
  for (const auto signal : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL}) ::signal(signal, SIG_DFL);
}

}  // namespace

ChildEnd in_child(const std::function<std::string()>& act) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) throw std::runtime_error("no pipe");
  const auto pid = ::fork();
  if (pid < 0) throw std::runtime_error("no child");
  if (pid == 0) {
    die_plainly();
    ::alarm(hang_limit_s);
    const auto said = outcome_of(act);
    const auto written = ::write(ends[1], said.data(), said.size());
    ::_exit(written == static_cast<ssize_t>(said.size()) ? 0 : 1);
  }
  ::close(ends[1]);
  ChildEnd end;
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
  // All that it said is there. Children of its own may still have the other end, so its closing is not waited for.
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  std::array<char, 4096> buffer{};
  for (ssize_t size = 0; (size = ::read(ends[0], buffer.data(), buffer.size())) > 0;)
    end.said.append(buffer.data(), static_cast<std::size_t>(size));
  ::close(ends[0]);
  return end;
}

}  // namespace bobbin::test
