// Waiting instances take no memory in the timer queue, and none of their timers is lost or early (P7).
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

#include <map>

using namespace bobbin;
using namespace bobbin::testing;
using namespace std::chrono_literals;

namespace {

using Text = std::string;
constexpr int many = 20'000;

void registration(Registry& registry) {
  registry.orchestrator("sleep", [](Context& ctx, const Text& seconds) {
    ctx.create_timer(std::chrono::seconds(std::stoi(seconds))).wait();
    return std::to_string(ctx.now().time_since_epoch().count());
  });
}

InstanceName sleeper(int number) { return {"sleep", std::to_string(number)}; }
int seconds_of(int number) { return 60 + (number * 7'919) % 3'600; }

EngineOptions options() {
  EngineOptions options;
  options.checkpoint_age_records = 20;
  options.resident_instances = 100;
  return options;
}

void start(World& world, int first, int count) {
  for (int i = first; i < first + count; ++i)
    world.engine().start(sleeper(i), std::to_string(seconds_of(i)), {}, [](const Result<Accepted>&) {});
  world.settle();
}

// When the runs of these ended, against when they should have.
void check_ends(World& world, int count, const std::vector<LogTime>& started) {
  for (int i = 0; i < count; ++i) {
    const auto due = started[static_cast<std::size_t>(i)] + std::chrono::seconds(seconds_of(i));
    const auto ended = LogTime(Duration(std::stoll(world.result(sleeper(i)))));
    if (ended != due) FAIL("sleeper " << i << " woke " << (ended - due).count() << " us after its time");
  }
}

}  // namespace

TEST_CASE("P7: timers of many waiting instances stay in the store, and each fires at its time") {
  World world(registration, options());
  // Far ahead, so that what the engine has read of the store does not end before what is armed later.
  for (int i = 0; i < 10; ++i) world.start({"sleep", "far" + std::to_string(i)}, "999999");
  std::vector<LogTime> started;
  for (int first = 0; first < many; first += 1'000) {
    start(world, first, 1'000);
    started.resize(started.size() + 1'000, world.clock().wall_time());
    world.pass(1s);
  }
  CHECK(world.engine().stats().in_memory < 1'000);
  CHECK(world.engine().stats().timers_in_memory < many / 2);
  SUBCASE("in one open") {}
  SUBCASE("after a crash") { world.crash(); }
  world.pass(10min);
  SUBCASE("with a crash in between") { world.crash(); }
  world.pass(60min);
  check_ends(world, many, started);
}
