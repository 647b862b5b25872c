// The collector in a process of its own, which a test kills.
#pragma once

#include "tests/disk/collector.hpp"

#include <sys/types.h>

#include <cstdio>
#include <filesystem>
#include <optional>
#include <set>
#include <string>

namespace bobbin::tests {

// What main() asks: empty when this is no host, else its exit status.
std::optional<int> run_as_host(int argc, char** argv);

// Sends events until it is refused or killed, and tells of each that is accepted and each list that is delivered.
class KilledHost {
 public:
  // `life` makes the names of its events its own.
  KilledHost(const std::filesystem::path& log, const std::string& life, Deliveries& deliveries);
  // SIGKILL, if it lives.
  ~KilledHost();
  KilledHost(const KilledHost&) = delete;
  KilledHost& operator=(const KilledHost&) = delete;

  // Takes note of what it tells until so many were accepted; false when it ends or is refused before that.
  bool read_until_accepted(std::size_t count);
  // Until it tells that it was refused; false when it ends before that.
  bool read_until_refused();
  // Kills it and takes note of the rest.
  void kill();

  const std::set<std::string>& accepted() const { return accepted_; }
  const std::string& last_word() const { return last_word_; }  // a line that says something else: an error

 private:
  bool read_line();

  Deliveries& deliveries_;
  pid_t pid_ = 0;
  std::FILE* lines_ = nullptr;
  std::set<std::string> accepted_;
  bool refused_ = false;
  std::string last_word_;
};

}  // namespace bobbin::tests
