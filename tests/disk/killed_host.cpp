#include "tests/disk/killed_host.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <sstream>
#include <stdexcept>

namespace bobbin::tests {

namespace {

// One line in one write: what a killed process has told is whole.
void tell(const std::string& line) {
  const auto whole = line + "\n";
  if (::write(STDOUT_FILENO, whole.data(), whole.size()) < 0) ::_exit(1);
}

[[noreturn]] void live(const char* log, const std::string& life) {
  try {
    Engine engine(open_lmdb(log), collecting([](const std::string& key, const std::vector<std::string>& names) {
                    auto line = "delivered " + key;
                    for (const auto& name : names) line += " " + name;
                    tell(line);
                  }));
    tell("open");
    for (std::uint64_t number = 0;; ++number) {
      const auto name = life + "-" + std::to_string(number);
      send(engine, name);
      tell("accepted " + name);
    }
  } catch (const StorageFull&) {
    tell("refused");
  } catch (const std::exception& error) {
    tell(std::string("error ") + error.what());
  }
  for (;;) ::pause();
}

}  // namespace

std::optional<int> run_as_host(int argc, char** argv) {
  if (argc != 4 || std::string(argv[1]) != "--host") return std::nullopt;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  live(argv[2], argv[3]);
}

KilledHost::KilledHost(const std::filesystem::path& log, const std::string& life, Deliveries& deliveries)
    : deliveries_(deliveries) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  pid_ = ::fork();
  if (pid_ == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    ::execl("/proc/self/exe", "disk-full", "--host", log.c_str(), life.c_str(), nullptr);
    ::_exit(127);
  }
  ::close(ends[1]);
  lines_ = ::fdopen(ends[0], "r");
}

KilledHost::~KilledHost() {
  kill();
  std::fclose(lines_);
}

bool KilledHost::read_line() {
  std::string line;
  for (int letter = 0; (letter = std::fgetc(lines_)) != '\n';) {
    if (letter == EOF) return false;
    line += static_cast<char>(letter);
  }
  std::istringstream words(line);
  std::string what, name;
  words >> what;
  if (what == "accepted" && words >> name) {
    accepted_.insert(name);
  } else if (what == "delivered") {
    std::string key;
    words >> key;
    std::vector<std::string> names;
    while (words >> name) names.push_back(name);
    deliveries_.add(key, names);
  } else if (what == "refused") {
    refused_ = true;
  } else if (what != "open") {
    last_word_ = line;
  }
  return true;
}

bool KilledHost::read_until_accepted(std::size_t count) {
  while (accepted_.size() < count && !refused_ && last_word_.empty())
    if (!read_line()) return false;
  return accepted_.size() >= count;
}

bool KilledHost::read_until_refused() {
  while (!refused_ && last_word_.empty())
    if (!read_line()) return false;
  return refused_;
}

void KilledHost::kill() {
  if (pid_ == 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = 0;
  while (read_line()) {
  }
}

}  // namespace bobbin::tests
