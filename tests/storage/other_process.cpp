#include "tests/storage/other_process.hpp"

#include <bobbin/error.hpp>
#include <bobbin/lmdb.hpp>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>

namespace bobbin::test {

namespace {

std::string count_records(Snapshot& snapshot, Lsn last) {
  std::size_t records = 0;
  snapshot.scan(1, [&records](Record&&) { return ++records > 0; });
  return "ok " + std::to_string(last) + " " + std::to_string(records);
}

std::string act(const std::string& name, const char* log) {
  try {
    if (name == "--read") {
      const auto snapshot = open_lmdb_read_only(log)->snapshot();
      return count_records(*snapshot, snapshot->info().last_lsn);
    }
    const auto store = open_lmdb(log);
    const auto snapshot = store->snapshot();
    return count_records(*snapshot, store->info().last_lsn);
  } catch (const Error& error) {
    return std::string(to_string(error.code())) + ": " + error.what();
  }
}

// Starts this program with `name` and `log`; its standard output goes to the returned descriptor.
std::pair<pid_t, int> start(const std::string& name, const std::filesystem::path& log) {
  std::array<int, 2> pipe_ends{};
  if (::pipe(pipe_ends.data()) != 0) throw std::runtime_error("no pipe");
  const auto pid = ::fork();
  if (pid == 0) {
    ::dup2(pipe_ends[1], STDOUT_FILENO);
    ::close(pipe_ends[0]);
    ::close(pipe_ends[1]);
    ::execl("/proc/self/exe", "storage-unit", name.c_str(), log.c_str(), nullptr);
    ::_exit(127);
  }
  ::close(pipe_ends[1]);
  return {pid, pipe_ends[0]};
}

}  // namespace

std::optional<int> run_as_other_process(int argc, char** argv) {
  if (argc != 3) return std::nullopt;
  const std::string name = argv[1];
  if (name == "--open" || name == "--read") {
    std::puts(act(name, argv[2]).c_str());
    return 0;
  }
  const auto hold = [](auto& log) {
    const auto snapshot = log.snapshot();
    std::puts("open");
    std::fflush(stdout);
    ::pause();
    return 0;
  };
  if (name == "--hold") return hold(*open_lmdb(argv[2]));
  if (name == "--hold-reading") return hold(*open_lmdb_read_only(argv[2]));
  return std::nullopt;
}

std::string in_other_process(const std::string& name, const std::filesystem::path& log) {
  const auto [pid, output] = start("--" + name, log);
  std::string text;
  std::array<char, 512> buffer{};
  for (ssize_t size = 0; (size = ::read(output, buffer.data(), buffer.size())) > 0;)
    text.append(buffer.data(), static_cast<std::size_t>(size));
  ::close(output);
  ::waitpid(pid, nullptr, 0);
  return text.substr(0, text.find('\n'));
}

HoldingProcess::HoldingProcess(const std::filesystem::path& log, const std::string& act) {
  const auto [pid, output] = start("--" + act, log);
  pid_ = pid;
  char byte = 0;
  if (::read(output, &byte, 1) != 1) throw std::runtime_error("the other process could not open the log");
  ::close(output);
}

HoldingProcess::~HoldingProcess() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

}  // namespace bobbin::test
