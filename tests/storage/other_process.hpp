// A second process of this very program that does something with a log.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>

namespace bobbin::test {

// What main() asks: empty when this is no other process, else its exit status.
std::optional<int> run_as_other_process(int argc, char** argv);

// Opens the log for writing ("open"), for reading only ("read"), in another process; returns what it says: "ok <last
// lsn> <records scanned>" or "<error code>: <message>". "die" opens it to write, holds a snapshot, and is killed.
std::string in_other_process(const std::string& act, const std::filesystem::path& log);

// A process that has the log open, and a snapshot of it, until it is destroyed (SIGKILL).
class HoldingProcess {
 public:
  // "hold" opens it for writing, "hold-reading" for reading.
  explicit HoldingProcess(const std::filesystem::path& log, const std::string& act = "hold");
  ~HoldingProcess();
  HoldingProcess(const HoldingProcess&) = delete;
  HoldingProcess& operator=(const HoldingProcess&) = delete;
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

}  // namespace bobbin::test
