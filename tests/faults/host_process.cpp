#include "tests/faults/host_process.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>

namespace bobbin::faults {

HostProcess::HostProcess(const std::filesystem::path& log, std::chrono::milliseconds first_retry_delay) {
  std::array<int, 2> in{}, out{};
  REQUIRE(::pipe2(in.data(), O_CLOEXEC) == 0);
  REQUIRE(::pipe2(out.data(), O_CLOEXEC) == 0);
  const auto delay = std::to_string(first_retry_delay.count());
  child_ = ::fork();
  REQUIRE(child_ >= 0);
  if (child_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::dup2(in[0], STDIN_FILENO);
    ::dup2(out[1], STDOUT_FILENO);
    ::execl(BOBBIN_FAULTS_HOST, "faults-host", log.c_str(), delay.c_str(), nullptr);
    ::_exit(127);
  }
  ::close(in[0]);
  ::close(out[1]);
  to_ = ::fdopen(in[1], "w");
  from_ = ::fdopen(out[0], "r");
  hear("open");
}

HostProcess::~HostProcess() {
  ::kill(child_, SIGKILL);
  ::waitpid(child_, nullptr, 0);
  std::fclose(to_);
  std::fclose(from_);
}

void HostProcess::tell(const std::string& line) {
  REQUIRE(std::fprintf(to_, "%s\n", line.c_str()) > 0);
  REQUIRE(std::fflush(to_) == 0);
}

std::string HostProcess::hear(const std::string& beginning) {
  const auto said = std::ranges::find_if(kept_, [&](const auto& line) { return line.starts_with(beginning); });
  if (said != kept_.end()) {
    auto line = *said;
    kept_.erase(said);
    return line;
  }
  std::array<char, 512> line{};
  while (std::fgets(line.data(), line.size(), from_) != nullptr) {
    std::string text(line.data());
    text.pop_back();  // the newline
    if (text.starts_with(beginning)) return text;
    kept_.push_back(std::move(text));
  }
  FAIL("the host has ended instead of saying \"", beginning, "\"");
  return {};
}

}  // namespace bobbin::faults
