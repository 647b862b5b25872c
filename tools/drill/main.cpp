// bobbin-drill: the gateway under SIGKILL and on a full disk, judged by what its clients and its receiver wrote down; and
// the way to the simulation.
#include "tools/drill/demo.hpp"
#include "tools/drill/disk_drill.hpp"
#include "tools/drill/kill_drill.hpp"

#include <CLI/CLI.hpp>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

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

void explain(const drill::Verdict& verdict, const std::string& trouble) {
  if (!trouble.empty()) std::fprintf(stderr, "%s\n", trouble.c_str());
  const auto& broken = verdict.broken;
  for (std::size_t i = 0; i < broken.size() && i < shown_max; ++i) {
    const char* promise = broken[i].promise == drill::Promise::kept_messages ? "lost"
                          : broken[i].promise == drill::Promise::once_only   ? "doubled"
                                                                             : "split";
    std::fprintf(stderr, "%s: %s\n", promise, broken[i].what.c_str());
  }
  if (broken.size() > shown_max) std::fprintf(stderr, "and %zu more\n", broken.size() - shown_max);
}

template <class Options, class Run>
int run_drill(Options options, const std::string& given, bool keep, Run run) {
  Directory directory(given, keep);
  options.directory = directory.path();
  const auto report = run(options);
  explain(report.verdict, report.trouble);
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

// What the command line says.
struct Arguments {
  std::string directory;
  bool keep = false;
  drill::KillOptions kill;
  drill::DiskOptions disk;
  std::int64_t window_ms = 0;
  std::int64_t patience_ms = 0;
  drill::DemoOptions demo;
};

void add_common(CLI::App& command, Arguments& arguments, std::filesystem::path& gateway) {
  command.add_option("--gateway", gateway, "the program");
  command.add_option("--directory", arguments.directory, "for data, log and journals; it is kept");
  command.add_flag("--keep", arguments.keep, "keep the temporary directory");
}

// The options that kill and disk share.
template <class Options>
CLI::App* add_drill(CLI::App& app, Arguments& arguments, Options& options, const char* name, const char* what) {
  options.gateway = neighbour("gateway", "bobbin-gateway");
  arguments.window_ms = options.window.count();
  arguments.patience_ms = options.patience.count();
  auto* command = app.add_subcommand(name, what);
  command->add_option("--rounds", options.rounds, "how often that happens")->capture_default_str();
  command->add_option("--seed", options.seed, "of load, faults and moments")->capture_default_str();
  command->add_option("--connections", options.connections)->check(CLI::Range(1, 100))->capture_default_str();
  command->add_option("--senders", options.senders)->check(CLI::Range(1, 100'000))->capture_default_str();
  command->add_option("--rate", options.rate, "messages a second")->check(CLI::Range(1, 20'000))->capture_default_str();
  command->add_option("--fibers", options.fibers_max, "conversations in memory")->capture_default_str();
  command->add_option("--window-ms", arguments.window_ms)->check(CLI::Range(100, 60'000))->capture_default_str();
  command->add_option("--patience-ms", arguments.patience_ms, "silence after which a message is lost")
      ->capture_default_str();
  add_common(*command, arguments, options.gateway);
  return command;
}

// The simulation stands in the tests' part of the build tree: production programs hold none of it.
CLI::App* add_sim(CLI::App& app) {
  auto* sim = app.add_subcommand("sim", "a whole engine under a seed, without threads, disks and sockets");
  sim->prefix_command();  // all that follows is the simulation's
  sim->set_help_flag();
  return sim;
}

int run_sim(std::vector<std::string> arguments) {
  const auto program = neighbour("../tests/sim", "bobbin-sim").string();
  std::vector<char*> argv{const_cast<char*>(program.c_str())};
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  ::execv(program.c_str(), argv.data());
  throw std::runtime_error("cannot run " + program + ": the simulation is built with the tests, and not installed");
}

CLI::App* add_demo(CLI::App& app, Arguments& arguments) {
  auto& options = arguments.demo;
  options.gateway = neighbour("gateway", "bobbin-gateway");
  options.inspect = neighbour("inspect", "bobbin");
  auto* demo = app.add_subcommand("demo", "a burst, a kill in the middle of it, and the proof");
  demo->add_option("--inspect", options.inspect, "the inspection tool");
  add_common(*demo, arguments, options.gateway);
  return demo;
}

int run(int argc, char** argv) {
  CLI::App app("Runs the real gateway, kills it, and checks its promises from outside.");
  app.require_subcommand(1);
  Arguments arguments;
  const auto* kill = add_drill(app, arguments, arguments.kill, "kill", "SIGKILL at random moments under load");
  const auto* disk = add_drill(app, arguments, arguments.disk, "disk",
                               "a small disk fills and empties under load, with SIGKILLs in between; needs root");
  add_demo(app, arguments);
  const auto* sim = add_sim(app);
  CLI11_PARSE(app, argc, argv);
  if (*sim) return run_sim(sim->remaining());
  if (!*kill && !*disk) return demo(arguments.demo, arguments.directory, arguments.keep);
  const auto set_times = [&arguments](auto& options) {
    options.window = milliseconds(arguments.window_ms);
    options.patience = milliseconds(arguments.patience_ms);
  };
  set_times(arguments.kill);
  set_times(arguments.disk);
  if (*disk) return run_drill(arguments.disk, arguments.directory, arguments.keep, drill::run_disk_drill);
  return run_drill(arguments.kill, arguments.directory, arguments.keep, drill::run_kill_drill);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bobbin-drill: %s\n", error.what());
    return exit_trouble;
  }
}
