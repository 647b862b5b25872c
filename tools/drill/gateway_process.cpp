#include "tools/drill/gateway_process.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <system_error>

namespace bobbin::drill {

namespace {

constexpr int exit_cannot_execute = 127;

[[noreturn]] void throw_errno(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

// In the child: only what is allowed between fork and exec of a process with threads.
[[noreturn]] void become(const char* program, const char* config, int log, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(exit_cannot_execute);
  ::dup2(log, STDERR_FILENO);
  const int nothing = ::open("/dev/null", O_RDWR);
  ::dup2(nothing, STDIN_FILENO);
  ::execl(program, program, config, static_cast<char*>(nullptr));
  constexpr char complaint[] = "cannot execute the gateway\n";
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, complaint, sizeof complaint - 1);
  ::_exit(exit_cannot_execute);
}

// The port in a log line such as "... info SMPP on 127.0.0.1:2775".
std::optional<std::uint16_t> port_after(const std::string& line, std::string_view words) {
  const auto at = line.find(words);
  const auto colon = line.rfind(':');
  if (at == std::string::npos || colon == std::string::npos || colon < at) return std::nullopt;
  std::uint16_t port = 0;
  const auto* end = line.data() + line.size();
  if (std::from_chars(line.data() + colon + 1, end, port).ptr != end) return std::nullopt;
  return port;
}

}  // namespace

std::string to_string(const GatewayEnd& end) {
  return (end.signalled ? "signal " : "status ") + std::to_string(end.code);
}

GatewayEnd end_of(int wait_status) {
  if (WIFSIGNALED(wait_status)) return {true, WTERMSIG(wait_status)};
  return {false, WEXITSTATUS(wait_status)};
}

GatewayProcess::GatewayProcess(std::filesystem::path program, std::filesystem::path config, std::filesystem::path log)
    : program_(std::move(program)), config_(std::move(config)), log_(std::move(log)) {}

GatewayProcess::~GatewayProcess() {
  if (started()) kill_hard();
}

void GatewayProcess::start() {
  if (started()) throw std::logic_error("the gateway runs already");
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw_errno("pipe2");
  {
    const std::lock_guard lock(mutex_);
    text_.clear();
    ports_ = {};
    ended_ = false;
  }
  const pid_t parent = ::getpid();
  child_ = ::fork();
  if (child_ == 0) become(program_.c_str(), config_.c_str(), ends[1], parent);
  ::close(ends[1]);
  if (child_ < 0) {
    child_ = 0;
    ::close(ends[0]);
    throw_errno("fork");
  }
  reader_ = std::thread([this, from = ends[0]] { read_log(from); });
}

void GatewayProcess::read_log(int from) {
  std::ofstream file(log_, std::ios::app);
  std::array<char, 4096> piece{};
  std::string line;
  for (;;) {
    const auto count = ::read(from, piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    file.write(piece.data(), count).flush();
    const std::lock_guard lock(mutex_);
    for (const char letter : std::string_view(piece.data(), static_cast<std::size_t>(count))) {
      if (letter != '\n') {
        line += letter;
        continue;
      }
      take_line(line);
      line.clear();
    }
    changed_.notify_all();
  }
  ::close(from);
  const std::lock_guard lock(mutex_);
  if (!line.empty()) take_line(line);
  ended_ = true;
  changed_.notify_all();
}

void GatewayProcess::take_line(const std::string& line) {
  text_ += line + '\n';
  if (const auto port = port_after(line, " SMPP on ")) ports_.smpp = *port;
  if (const auto port = port_after(line, " HTTP on ")) ports_.http = *port;
  if (const auto port = port_after(line, " admin on ")) ports_.admin = *port;
}

GatewayEnd GatewayProcess::reap() {
  int status = 0;
  while (::waitpid(child_, &status, 0) < 0 && errno == EINTR) {
  }
  child_ = 0;
  reader_.join();
  return end_of(status);
}

void GatewayProcess::kill_hard() {
  ::kill(child_, SIGKILL);
  reap();
}

void GatewayProcess::ask_to_end() { ::kill(child_, SIGTERM); }

GatewayEnd GatewayProcess::wait_for_end(std::chrono::milliseconds limit) {
  {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, limit, [this] { return ended_; }))
      throw std::runtime_error("the gateway did not end within " + std::to_string(limit.count()) + " ms");
  }
  return reap();
}

bool GatewayProcess::ended() const {
  const std::lock_guard lock(mutex_);
  return ended_;
}

GatewayPorts GatewayProcess::ports() const {
  const std::lock_guard lock(mutex_);
  return ports_;
}

GatewayPorts GatewayProcess::wait_for_ports(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, limit, [this] { return ended_ || ports_.all_open(); });
  if (ports_.all_open()) return ports_;
  throw std::runtime_error("the gateway does not listen; it said:\n" + text_);
}

std::string GatewayProcess::log_of_life() const {
  const std::lock_guard lock(mutex_);
  return text_;
}

}  // namespace bobbin::drill
