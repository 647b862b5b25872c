// Of activities that wait for capacity: which inputs stay in memory, and which are read from the log again (S25).
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace bobbin;
using namespace bobbin::testing;

namespace {

using Text = std::string;

void calling(Registry& registry) {
  registry.orchestrator("it", [](Context& ctx, const Text& input) { return ctx.call_activity<Text>("do", input); });
  registry.activity("do", [](const ActivityContext&, const Text& value) { return "<" + value + ">"; });
}

}  // namespace

TEST_CASE("S25: of the activities that wait, few keep their input in memory; the others get it from the log") {
  EngineOptions options;
  options.resident_instances = 2'000;
  World world(calling, options);
  // Starts so many, with these inputs, and sees how many inputs are read from the store once there is room for them.
  auto read_of = [&world, next = 0](std::size_t many, std::size_t padding) mutable {
    world.runner().capacity_ = 0;
    const auto first = next;
    const auto input = [padding](int number) { return std::to_string(number) + Text(padding, '.'); };
    for (std::size_t i = 0; i < many; ++i, ++next) world.start({"it", std::to_string(next)}, input(next));
    CHECK(world.runner().tasks.empty());
    const auto before = world.snapshots();
    world.runner().capacity_ = many;
    world.executor().wake(Lane::orchestrator);
    world.settle();
    const auto read = world.snapshots() - before;
    REQUIRE(world.runner().tasks.size() == many);
    for (std::size_t i = 0; i < many; ++i)
      CHECK(decode<Text>(world.runner().tasks[i].input) == input(first + static_cast<int>(i)));
    world.run_to_rest();
    for (int i = first; i < next; ++i) CHECK(world.result({"it", std::to_string(i)}) == "<" + input(i) + ">");
    return read;
  };
  CHECK(read_of(100, 0) == 0);
  const auto of_many = read_of(1'000, 0);
  CHECK(of_many >= 500);
  CHECK(of_many < 1'000);
  CHECK(read_of(100, 0) == 0);  // those that have started make room for others
  CHECK(read_of(20, 100u << 10) == 20);
}

// Decisions are kept in memory until they are started: 256 of them, of inputs up to 64 KiB. What is kept needs no
// record of the log; so a damaged one tells which they are.
TEST_CASE("S23, S25: of decisions that wait for capacity a bounded number is kept in memory, the log has the others") {
  World world([](Registry& registry) {
    registry.orchestrator("it", [](Context& ctx, const Text&) {
      return ctx.call_activity<Text>("do", ctx.wait_for_event<Text>("e").value);
    });
    registry.activity("do", [](const ActivityContext&, const Text& value) { return value; });
  });
  world.runner().capacity_ = 0;
  const auto name = [](int number) { return InstanceName{"it", std::to_string(number)}; };
  const auto input = [](int number) { return std::to_string(number) + Text(number == 0 ? 65'536 : 0, '.'); };
  const auto decide = [&](int number) {
    world.start(name(number), "");
    world.event(name(number), "e", input(number));
    const auto activities = world.status(name(number)).state.activities;
    REQUIRE(activities.size() == 1);
    return activities[0].decision.lsn;
  };
  const auto damage = [&](Lsn lsn) { world.disk().damage_record(lsn, 40, 1); };
  std::vector<Lsn> decisions;
  for (int number = 0; number <= 257; ++number) decisions.push_back(decide(number));
  const auto start_all = [&] {
    world.runner().capacity_ = 1'000;
    world.event({"it", "another"}, "e", "wakes the lane");
  };
  SUBCASE("the first 256 that are not too large need no record") {
    for (int number = 1; number <= 256; ++number) damage(decisions[static_cast<std::size_t>(number)]);
    start_all();
    REQUIRE(world.runner().tasks.size() == 258);
    for (int number = 0; number <= 257; ++number)
      CHECK(decode<Text>(world.runner().tasks[static_cast<std::size_t>(number)].input) == input(number));
    // Once started they leave room for others.
    world.runner().capacity_ = 0;
    damage(decide(300));
    start_all();
    CHECK(world.runner().tasks.size() == 259);
    CHECK(!world.engine().stats().failed);
  }
  const auto is_read_again = [&](int number) {
    damage(decisions[static_cast<std::size_t>(number)]);
    start_all();
    CHECK(world.runner().tasks.size() == 257);
    for (const auto& task : world.runner().tasks) CHECK(decode<Text>(task.input) != input(number));
  };
  SUBCASE("a large input is read again") { is_read_again(0); }
  SUBCASE("so is one too many") { is_read_again(257); }
}
