// bobbin-drill: the gateway under SIGKILL, judged by what its clients and its receiver wrote down.
#include "tools/drill/demo.hpp"
#include "tools/drill/kill_drill.hpp"

#include <CLI/CLI.hpp>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <filesystem>
#include <random>
#include <string>

namespace {

namespace drill = bobbin::drill;
using std::chrono::milliseconds;

constexpr int exit_broken = 1;
constexpr int exit_trouble = 2;
constexpr std::size_t shown_max = 5;

// Beside this program in the build tree.
std::filesystem::path neighbour(const char* folder, const char* name) {
  const auto here = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  const auto beside = here / name;
  return std::filesystem::exists(beside) ? beside : here.parent_path() / folder / name;
}

// The drill's directory: the given one, or a new one that goes when all was well.
class Directory {
 public:
  Directory(const std::string& given, bool keep) : keep_(keep || !given.empty()) {
    if (!given.empty()) {
      path_ = given;
      std::filesystem::create_directories(path_);
      return;
    }
    auto pattern = (std::filesystem::temp_directory_path() / "bobbin-drill-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a directory like " + pattern);
    path_ = pattern;
  }
  const std::filesystem::path& path() const { return path_; }
  void close(bool passed) {
    if (passed && !keep_) std::filesystem::remove_all(path_);
    if (!passed || keep_) std::fprintf(stderr, "journals, gateway log and data are in %s\n", path_.c_str());
  }

 private:
  bool keep_;
  std::filesystem::path path_;
};

void explain(const drill::KillReport& report) {
  if (!report.trouble.empty()) std::fprintf(stderr, "%s\n", report.trouble.c_str());
  const auto& broken = report.verdict.broken;
  for (std::size_t i = 0; i < broken.size() && i < shown_max; ++i) {
    const char* promise = broken[i].promise == drill::Promise::kept_messages ? "lost"
                          : broken[i].promise == drill::Promise::once_only   ? "doubled"
                                                                             : "split";
    std::fprintf(stderr, "%s: %s\n", promise, broken[i].what.c_str());
  }
  if (broken.size() > shown_max) std::fprintf(stderr, "and %zu more\n", broken.size() - shown_max);
}

int kill_drill(drill::KillOptions options, const std::string& given, bool keep) {
  Directory directory(given, keep);
  options.directory = directory.path();
  const auto report = drill::run_kill_drill(options);
  explain(report);
  std::fflush(stderr);
  std::printf("%s\n", drill::summary(report).c_str());
  directory.close(report.passed());
  if (!report.verdict.kept()) return exit_broken;
  return report.passed() ? 0 : exit_trouble;
}

int demo(drill::DemoOptions options, const std::string& given, bool keep) {
  Directory directory(given, keep);
  options.directory = directory.path();
  const bool proven = drill::run_demo(options);
  directory.close(proven);
  return proven ? 0 : exit_broken;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Runs the real gateway, kills it, and checks its promises from outside.");
  app.require_subcommand(1);
  std::string directory;
  bool keep = false;

  drill::KillOptions kill_options;
  kill_options.gateway = neighbour("gateway", "bobbin-gateway");
  std::int64_t window_ms = kill_options.window.count();
  std::int64_t patience_ms = kill_options.patience.count();
  auto* kill = app.add_subcommand("kill", "SIGKILL at random moments under load");
  kill->add_option("--rounds", kill_options.rounds, "how often it is killed")->capture_default_str();
  kill->add_option("--seed", kill_options.seed, "of load, faults and moments")->capture_default_str();
  kill->add_option("--connections", kill_options.connections)->check(CLI::Range(1, 100))->capture_default_str();
  kill->add_option("--senders", kill_options.senders)->check(CLI::Range(1, 100'000))->capture_default_str();
  kill->add_option("--rate", kill_options.rate, "messages a second")
      ->check(CLI::Range(1, 20'000))
      ->capture_default_str();
  kill->add_option("--fibers", kill_options.fibers_max, "conversations in memory")->capture_default_str();
  kill->add_option("--window-ms", window_ms)->check(CLI::Range(100, 60'000))->capture_default_str();
  kill->add_option("--patience-ms", patience_ms, "silence after which a message is lost")->capture_default_str();

  drill::DemoOptions demo_options;
  demo_options.gateway = kill_options.gateway;
  demo_options.inspect = neighbour("inspect", "bobbin");
  auto* demo_command = app.add_subcommand("demo", "a burst, a kill in the middle of it, and the proof");
  demo_command->add_option("--inspect", demo_options.inspect, "the inspection tool")->capture_default_str();

  for (auto* command : {kill, demo_command}) {
    command->add_option("--gateway", command == kill ? kill_options.gateway : demo_options.gateway, "the program");
    command->add_option("--directory", directory, "for data, log and journals; it is kept");
    command->add_flag("--keep", keep, "keep the temporary directory");
  }
  CLI11_PARSE(app, argc, argv);
  try {
    kill_options.window = milliseconds(window_ms);
    kill_options.patience = milliseconds(patience_ms);
    return *kill ? kill_drill(kill_options, directory, keep) : demo(demo_options, directory, keep);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bobbin-drill: %s\n", error.what());
    return exit_trouble;
  }
}
