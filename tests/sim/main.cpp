// The simulation by itself: seeds for a number or a time. `bobbin-drill sim` is its front.
#include "tests/sim/shrink.hpp"
#include "tests/sim/verdict.hpp"

#include <CLI/CLI.hpp>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>

namespace {

namespace sim = bobbin::sim;
using Clock = std::chrono::steady_clock;

constexpr int exit_broken = 1;
constexpr int exit_trouble = 2;

struct Arguments {
  std::uint64_t seeds = 0;
  double seconds = 0;
  std::uint64_t first = 1;
  std::size_t steps = sim::Plan().steps;
  std::string store;
  std::string host;
  std::string only;
  std::vector<std::string> without;
  bool shrink = true;
  bool keep_going = false;
  bool show = false;
};

std::uint64_t running_seed = 0;  // for the last words of a process that an assertion ends

void last_words(int) {
  char line[200];
  const int size =
      std::snprintf(line, sizeof line,
                    "\nbobbin-sim: seed %llu ended the process; again and shorter: bobbin-drill sim "
                    "--seed %llu --seeds 1 --apart\n",
                    static_cast<unsigned long long>(running_seed), static_cast<unsigned long long>(running_seed));
  const auto ignored = ::write(STDERR_FILENO, line, static_cast<std::size_t>(size));
  static_cast<void>(ignored);
  std::signal(SIGABRT, SIG_DFL);
  std::abort();
}

std::string command_of(const sim::Plan& plan) {
  std::string command =
      "bobbin-drill sim --seeds 1 --seed " + std::to_string(plan.seed) + " --steps " + std::to_string(plan.steps);
  if (plan.lmdb) command += std::string(" --store ") + (*plan.lmdb ? "lmdb" : "memory");
  if (plan.gateway) command += std::string(" --host ") + (*plan.gateway ? "gateway" : "workload");
  if (!plan.selection.only.empty()) command += " --only " + sim::to_text(plan.selection.only);
  for (const auto kind : plan.selection.without) command += std::string(" --without ") + sim::name_of(kind);
  return command;
}

void explain(const sim::Plan& plan, const sim::Outcome& outcome, bool shrunk) {
  std::fprintf(stderr, "seed %llu: %s\n  again: %s\n", static_cast<unsigned long long>(plan.seed),
               outcome.broken.c_str(), command_of(plan).c_str());
  if (!shrunk) return;
  const auto shorter = sim::shrink(plan);
  const auto again = sim::simulate_apart(shorter);
  std::fprintf(stderr, "  shorter, %zu steps: %s\n    %s\n   ", shorter.selection.only.size(),
               command_of(shorter).c_str(), again.broken.c_str());
  for (const auto& step : sim::steps_of(shorter.seed, shorter.steps, shorter.selection))
    std::fprintf(stderr, " %zu:%s", step.number, sim::name_of(step.kind));
  std::fprintf(stderr, "\n");
}

int run(const Arguments& arguments, bool apart) {
  const auto begin = Clock::now();
  const auto seconds = [begin] { return std::chrono::duration<double>(Clock::now() - begin).count(); };
  sim::Plan plan;
  plan.steps = arguments.steps;
  plan.show = arguments.show;
  plan.selection.only = sim::numbers_of(arguments.only);
  for (const auto& name : arguments.without) plan.selection.without.insert(sim::step_kind(name));
  if (!arguments.store.empty()) plan.lmdb = arguments.store == "lmdb";
  if (!arguments.host.empty()) plan.gateway = arguments.host == "gateway";
  sim::Trace trace;
  std::uint64_t seeds = 0, steps = 0, crashes = 0, failed = 0;
  const auto more = [&] {
    if (failed > 0 && !arguments.keep_going) return false;
    return arguments.seconds > 0 ? seconds() < arguments.seconds : seeds < std::max<std::uint64_t>(arguments.seeds, 1);
  };
  for (plan.seed = arguments.first; more(); ++plan.seed) {
    running_seed = plan.seed;
    const auto outcome = apart ? sim::simulate_apart(plan) : sim::simulate(plan);
    trace.add(outcome.trace);
    ++seeds;
    steps += outcome.steps;
    crashes += outcome.crashes;
    if (outcome.broken.empty()) continue;
    ++failed;
    explain(plan, outcome, arguments.shrink && plan.selection.only.empty());
  }
  std::printf("seeds=%llu steps=%llu crashes=%llu failed=%llu trace=%016llx seconds=%.1f\n",
              static_cast<unsigned long long>(seeds), static_cast<unsigned long long>(steps),
              static_cast<unsigned long long>(crashes), static_cast<unsigned long long>(failed),
              static_cast<unsigned long long>(trace.hash()), seconds());
  return failed == 0 ? 0 : exit_broken;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "A whole engine under one seed: random calls, faults, clocks and orders against a model of what must hold.",
      "bobbin-sim");
  Arguments arguments;
  bool apart = false;
  app.add_option("--seeds", arguments.seeds, "how many");
  app.add_option("--seconds", arguments.seconds, "for how long");
  app.add_option("--seed", arguments.first, "the first")->capture_default_str();
  app.add_option("--steps", arguments.steps, "of each seed")->capture_default_str();
  app.add_option("--store", arguments.store, "memory or lmdb; else the seed says")
      ->check(CLI::IsMember({"memory", "lmdb"}));
  app.add_option("--host", arguments.host, "workload or gateway; else the seed says")
      ->check(CLI::IsMember({"workload", "gateway"}));
  app.add_option("--only", arguments.only, "these steps only, such as 3,7-9");
  app.add_option("--without", arguments.without, "no steps of these kinds");
  app.add_flag("--apart", apart, "each seed in a process of its own");
  app.add_flag("--show", arguments.show, "print steps and records");
  app.add_flag("--keep-going", arguments.keep_going, "do not stop at the first broken promise");
  app.add_flag("!--no-shrink", arguments.shrink, "do not look for a shorter list of steps");
  CLI11_PARSE(app, argc, argv);
  std::signal(SIGABRT, last_words);
  try {
    return run(arguments, apart);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bobbin-sim: %s\n", error.what());
    return exit_trouble;
  }
}
