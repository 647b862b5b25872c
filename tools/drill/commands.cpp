#include "tools/drill/commands.hpp"

#include "tools/drill/clock/clock_drill.hpp"
#include "tools/drill/command.hpp"
#include "tools/drill/disk_drill.hpp"
#include "tools/drill/kill_drill.hpp"
#include "tools/drill/power/power_drill.hpp"
#include "tools/drill/slow_drill.hpp"
#include "tools/drill/small_disk.hpp"
#include "tools/drill/soak/soak_drill.hpp"

#include <cstdio>
#include <memory>
#include <stdexcept>

namespace bobbin::drill {

namespace {

const CLI::Range rates(1, 20'000);

template <class Options>
struct Told {
  Options options;
  Common common;
};

// Adds a command whose options and common arguments live as long as it does.
template <class Options, class Run>
std::pair<CLI::App*, Options*> add(CLI::App& app, int& status, const char* name, const char* what, const Run& run) {
  auto* command = app.add_subcommand(name, what);
  const auto told = std::make_shared<Told<Options>>();
  add_common(*command, told->common);
  command->callback([told, run, &status] { status = play(told->options, told->common, run); });
  return {command, &told->options};
}

// What kill and disk can be told.
template <class Options>
void add_sizes(CLI::App& command, Options& options) {
  command.add_option("--rounds", options.rounds, "how often that happens")->capture_default_str();
  command.add_option("--connections", options.connections)->check(CLI::Range(1, 100))->capture_default_str();
  command.add_option("--senders", options.senders)->check(CLI::Range(1, 100'000))->capture_default_str();
  command.add_option("--rate", options.rate, "messages a second")->check(rates)->capture_default_str();
  command.add_option("--fibers", options.fibers_max, "conversations in memory")->capture_default_str();
  add_milliseconds(command, "--window-ms", options.window, "how long a window is", CLI::Range(100, 60'000));
  add_milliseconds(command, "--patience-ms", options.patience, "silence after which a message is lost",
                   CLI::Range(100, 600'000));
}

KillOptions kill_options() {
  KillOptions options;
  options.killer = preload("libbobbin_killer.so");
  if (!std::filesystem::exists(options.killer)) {
    std::fprintf(stderr,
                 "there is no %s, as in builds with sanitizers (BOBBIN_PRELOADS names the directory that holds it): no "
                 "life ends at a chosen call\n",
                 options.killer.c_str());
    options.killer.clear();
  }
  return options;
}

void add_kill(CLI::App& app, int& status) {
  const auto [command, options] = add<KillOptions>(
      app, status, "kill", "SIGKILL at random moments and at chosen calls, under load", run_kill_drill);
  *options = kill_options();
  add_sizes(*command, *options);
}

void add_disk(CLI::App& app, int& status) {
  const auto [command, options] = add<DiskOptions>(
      app, status, "disk", "a small disk fills and empties under load, with SIGKILLs; needs root", run_disk_drill);
  add_sizes(*command, *options);
}

PowerOptions power_options() {
  PowerOptions options;
  options.recorder = preload("libbobbin_recorder.so");
  options.self = std::filesystem::read_symlink("/proc/self/exe");
  return options;
}

void add_power(CLI::App& app, int& status) {
  const auto [command, options] = add<PowerOptions>(
      app, status, "power", "what a disk may have kept when the power went, at any moment under load", run_power_drill);
  *options = power_options();
  command->add_option("--images", options->images, "about how many are opened")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  add_milliseconds(*command, "--load-ms", options->load, "of load that are recorded", CLI::Range(100, 600'000));
  command->add_option("--lives", options->lives, "of the gateway, ended with SIGKILL or a failed sync")
      ->check(CLI::Range(1, 1'000))
      ->capture_default_str();
  command->add_option("--rate", options->rate, "messages a second")->check(rates)->capture_default_str();
  command
      ->add_option("--second-cut-every", options->second_cut_every, "of so many images one's recovery is cut; 0: none")
      ->capture_default_str();
  command->add_option("--jobs", options->jobs, "images at the same time")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  command->add_flag("--lying-disk", options->lying_disk, "a disk that only says it has flushed: loses, and must");
  command->add_option("--recorder", options->recorder, "the library that goes before the gateway");
}

void add_slow(CLI::App& app, int& status) {
  const auto [command, options] = add<SlowOptions>(
      app, status, "slow", "an application that hangs, refuses, forgets and answers twice", run_slow_drill);
  command->add_option("--rounds", options->rounds, "each with every trouble")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  command->add_option("--rate", options->rate, "messages a second")->check(rates)->capture_default_str();
}

ClockOptions clock_options() {
  ClockOptions options;
  options.clock_library = preload("libbobbin_clock.so");
  return options;
}

void add_clock(CLI::App& app, int& status) {
  const auto [command, options] =
      add<ClockOptions>(app, status, "clock",
                        "a wall clock that jumps by hours, both ways, under load and between lives", run_clock_drill);
  *options = clock_options();
  command->add_option("--rounds", options->rounds, "a jump each, some with SIGKILL")->capture_default_str();
  command->add_option("--rate", options->rate, "messages a second")->check(rates)->capture_default_str();
  command->add_option("--library", options->clock_library, "the library that goes before the gateway");
}

void add_soak(CLI::App& app, int& status) {
  const auto [command, options] = add<SoakOptions>(
      app, status, "soak", "steady load with retention: file and memory must stop growing", run_soak_drill);
  command->add_option("--seconds", options->seconds, "how long; a plateau is judged from 480 on")
      ->check(CLI::Range(1, 10'000'000))
      ->capture_default_str();
  command->add_option("--rate", options->rate, "messages a second")->check(rates)->capture_default_str();
  command->add_option("--svg", options->svg, "file for the plots")->capture_default_str();
}

// All drills, one after the other.
class Row {
 public:
  Row(Common common, bool is_full) : common_(std::move(common)), is_full_(is_full) {}

  int play_all() {
    one<KillOptions>("kill", run_kill_drill, [this](KillOptions& options) {
      options = kill_options();
      options.rounds = is_full_ ? 1'000 : 5;
    });
    one<PowerOptions>("power", run_power_drill, [this](PowerOptions& options) {
      options = power_options();
      options.images = is_full_ ? 20'000 : 200;
      options.load = is_full_ ? std::chrono::seconds(20) : std::chrono::seconds(2);
      options.lives = is_full_ ? 30 : 6;
    });
    if (SmallDisk::allowed())
      one<DiskOptions>("disk", run_disk_drill, [this](DiskOptions& options) { options.rounds = is_full_ ? 200 : 3; });
    else
      leave_out("disk", "it needs root, to mount small disks");
    one<SlowOptions>("slow", run_slow_drill, [this](SlowOptions& options) { options.rounds = is_full_ ? 50 : 1; });
    one<ClockOptions>("clock", run_clock_drill, [this](ClockOptions& options) {
      options = clock_options();
      options.rounds = is_full_ ? 1'000 : 20;
    });
    one<SoakOptions>("soak", run_soak_drill, [this](SoakOptions& options) { options.seconds = is_full_ ? 7'200 : 30; });
    return status_;
  }

 private:
  template <class Options, class Run, class Set>
  void one(const char* name, const Run& run, const Set& set) {
    std::printf("%s: ", name);
    std::fflush(stdout);
    auto common = common_;
    if (!common.directory.empty()) common.directory += std::string("/") + name;
    Options options;
    set(options);
    take(play(options, common, run));
  }
  void leave_out(const char* name, const char* why) {
    std::printf("%s: not tried, %s\n", name, why);
    take(exit_trouble);
  }
  void take(int status) {
    if (status_ == 0 || status == exit_broken) status_ = status;
  }

  Common common_;
  bool is_full_;
  int status_ = 0;
};

void add_all(CLI::App& app, int& status) {
  struct AllTold {
    Common common;
    bool is_full = false;
  };
  auto* command = app.add_subcommand("all", "every drill in a row, a line for each");
  const auto told = std::make_shared<AllTold>();
  add_common(*command, told->common);
  command->add_flag("--full", told->is_full, "each at length, which takes hours; otherwise minutes");
  command->callback([told, &status] { status = Row(told->common, told->is_full).play_all(); });
}

}  // namespace

void add_drills(CLI::App& app, int& status) {
  add_kill(app, status);
  add_power(app, status);
  add_disk(app, status);
  add_slow(app, status);
  add_clock(app, status);
  add_soak(app, status);
  add_all(app, status);
}

}  // namespace bobbin::drill
