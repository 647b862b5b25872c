// The host with long activities (host.cpp) as a process: talked to by lines, killed, started again.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <string>

namespace bobbin::faults {

class HostProcess {
 public:
  HostProcess(const std::filesystem::path& log, std::chrono::milliseconds first_retry_delay);
  // Killed with SIGKILL.
  ~HostProcess();
  HostProcess(const HostProcess&) = delete;
  HostProcess& operator=(const HostProcess&) = delete;

  void tell(const std::string& line);
  // The next line that begins so; others are kept for later. Fails the test when the host ends instead.
  std::string hear(const std::string& beginning);

 private:
  pid_t child_ = 0;
  FILE* to_ = nullptr;
  FILE* from_ = nullptr;
  std::deque<std::string> kept_;
};

}  // namespace bobbin::faults
