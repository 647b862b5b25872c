// The real gateway as a child process: started, killed, restarted, and never left behind.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>

namespace bobbin::drill {

// Where a life of the gateway listens; all zero until it does.
struct GatewayPorts {
  std::uint16_t smpp = 0;
  std::uint16_t http = 0;
  std::uint16_t admin = 0;

  bool all_open() const { return smpp != 0 && http != 0 && admin != 0; }
};

// How a life ended; `code` is an exit status, or a signal if `signalled`.
struct GatewayEnd {
  bool signalled = false;
  int code = 0;

  bool clean() const { return !signalled && code == 0; }
};

// "signal 9", "status 1".
std::string to_string(const GatewayEnd& end);
// From what waitpid() says.
GatewayEnd end_of(int wait_status);

// Used on one thread, which must live as long as the child: the kernel kills the child when that thread is gone.
// The gateway tells in its log where it listens, so that each life may take whatever ports are free.
class GatewayProcess {
 public:
  // What the gateway writes to stderr is appended to `log`, over all its lives.
  GatewayProcess(std::filesystem::path program, std::filesystem::path config, std::filesystem::path log);
  // Kills a life that is not over.
  ~GatewayProcess();
  GatewayProcess(const GatewayProcess&) = delete;
  GatewayProcess& operator=(const GatewayProcess&) = delete;

  // Throws std::system_error if there can be no child. A program that cannot be executed ends with status 127.
  void start();
  // SIGKILL; returns when the child is gone.
  void kill_hard();
  // SIGTERM; the end is to be waited for.
  void ask_to_end();
  // Throws std::runtime_error if it does not end in time; it is not killed then.
  GatewayEnd wait_for_end(std::chrono::milliseconds limit);

  bool started() const { return child_ > 0; }
  // Whether the life closed its log, which it does only by ending.
  bool ended() const;
  GatewayPorts ports() const;
  // Throws std::runtime_error if it ends instead, or takes longer.
  GatewayPorts wait_for_ports(std::chrono::milliseconds limit);
  // What this life has logged so far.
  std::string log_of_life() const;
  pid_t pid() const { return child_; }

 private:
  void read_log(int from);
  void take_line(const std::string& line);
  GatewayEnd reap();

  std::filesystem::path program_;
  std::filesystem::path config_;
  std::filesystem::path log_;
  pid_t child_ = 0;
  std::thread reader_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::string text_;
  GatewayPorts ports_;
  bool ended_ = false;
};

}  // namespace bobbin::drill
