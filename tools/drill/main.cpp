// bobbin-drill: the gateway under SIGKILL, power cuts and whatever else happens to a process, judged by what its
// clients and its receiver wrote down; and the way to the simulation.
#include "tools/drill/command.hpp"
#include "tools/drill/commands.hpp"
#include "tools/drill/demo.hpp"
#include "tools/drill/power/image_check.hpp"

#include <unistd.h>

#include <exception>
#include <memory>
#include <stdexcept>

namespace {

namespace drill = bobbin::drill;

struct DemoTold {
  drill::DemoOptions options;
  drill::Common common;
};

void add_demo(CLI::App& app, int& status) {
  auto* demo = app.add_subcommand("demo", "a burst, a kill in the middle of it, and the proof");
  const auto told = std::make_shared<DemoTold>();
  told->options.inspect = drill::neighbour("inspect", "bobbin");
  demo->add_option("--inspect", told->options.inspect, "the inspection tool");
  drill::add_place(*demo, told->common);
  demo->callback([told, &status] {
    drill::Directory directory(told->common);
    told->options.gateway = told->common.gateway;
    told->options.directory = directory.path();
    const bool proven = drill::run_demo(told->options);
    directory.close(proven);
    status = proven ? 0 : drill::exit_broken;
  });
}

int run_sim(std::vector<std::string> arguments) {
  const auto program = drill::neighbour("../tests/sim", "bobbin-sim").string();
  std::vector<char*> argv{const_cast<char*>(program.c_str())};
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  ::execv(program.c_str(), argv.data());
  throw std::runtime_error("cannot run " + program + ": the simulation is built with the tests, and not installed");
}

// The simulation stands in the tests' part of the build tree: production programs hold none of it.
void add_sim(CLI::App& app, int& status) {
  auto* sim = app.add_subcommand("sim", "a whole engine under a seed, without threads, disks and sockets");
  sim->prefix_command();  // all that follows is the simulation's
  sim->set_help_flag();
  sim->callback([sim, &status] { status = run_sim(sim->remaining()); });
}

// The power drill's own: one image, in a process that may die of it.
void add_power_image(CLI::App& app, int& status) {
  constexpr unsigned seconds_max = 120;
  const auto order = std::make_shared<drill::ImageOrder>();
  auto* image = app.add_subcommand("power-image", "opens a log and compares it with what was seen")->group("");
  image->add_option("--log", order->log)->required();
  image->add_option("--outcomes", order->outcomes)->required();
  image->add_option("--seen", order->seen)->required();
  image->add_option("--new-work", order->new_work);
  image->callback([order, &status] {
    ::alarm(seconds_max);  // whoever hangs is no better than whoever dies
    status = drill::check_image(*order);
  });
}

int run(int argc, char** argv) {
  CLI::App app("Runs the real gateway, does it harm, and checks its promises from outside.");
  app.require_subcommand(1);
  int status = 0;
  drill::add_drills(app, status);
  add_demo(app, status);
  add_sim(app, status);
  add_power_image(app, status);
  CLI11_PARSE(app, argc, argv);
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bobbin-drill: %s\n", error.what());
    return drill::exit_trouble;
  }
}
