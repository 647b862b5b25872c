// Log time and timers when clocks jump and processes sleep (S4, S5, P7).
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace bobbin;
using namespace bobbin::testing;
using namespace std::chrono_literals;

namespace {

using Text = std::string;
const InstanceName key{"it", "k"};

// Fires timers of the lengths in its input ("3,1,2") and tells their order of firing.
Text timers(Context& ctx, const Text& input) {
  Text log;
  std::vector<Fiber<Nothing>> fibers;
  for (const char length : input) {
    if (length == ',') continue;
    auto timer = std::make_shared<Timer>(ctx.create_timer(std::chrono::seconds(length - '0')));
    fibers.push_back(ctx.spawn([timer, length, &log] {
      timer->wait();
      log += length;
      return Nothing{};
    }));
  }
  for (auto& fiber : fibers) fiber.join();
  return log;
}

std::size_t clock_steps(World& world) {
  std::size_t steps = 0;
  for (const auto& record : world.records()) steps += std::holds_alternative<ClockStepBody>(record.body);
  return steps;
}

World world_of(std::function<Text(Context&, const Text&)> code) {
  return World([code](Registry& registry) { registry.orchestrator("it", code); });
}

// A timer of ten seconds.
Text ten_seconds(Context& ctx, const Text&) {
  ctx.create_timer(10s).wait();
  return "fired";
}

void check_order(const std::vector<Record>& records) {
  for (std::size_t i = 1; i < records.size(); ++i) CHECK(records[i].log_time >= records[i - 1].log_time);
}

}  // namespace

TEST_CASE("S4: a wall clock that is more than a second ahead takes log time with it, and that is recorded") {
  auto world = world_of(ten_seconds);
  world.start(key, "");
  const auto began = world.status(key).state.started_at;
  world.clock().set_wall(began + 1s);
  world.pass(0s);
  CHECK(clock_steps(world) == 0);
  world.clock().set_wall(began + 9s);
  CHECK(world.event(key, "x", "").value.accepted_at == began + 9s);
  CHECK(clock_steps(world) == 1);
  world.clock().set_wall(began + 1h);
  world.event(key, "x", "");
  CHECK(world.result(key) == "fired");
  CHECK(clock_steps(world) == 2);
  check_order(world.records());
}

TEST_CASE("S4: a wall clock that goes back changes nothing, also over a restart") {
  auto world = world_of(ten_seconds);
  world.start(key, "");
  const auto began = world.status(key).state.started_at;
  world.clock().set_wall(began - 24h);
  world.pass(5s);
  CHECK(world.event(key, "x", "").value.accepted_at == began + 5s);
  world.crash();
  CHECK(world.event(key, "x", "").value.accepted_at == began + 5s);
  world.pass(5s - 1us);
  CHECK(world.status(key).state.live());
  world.pass(1us);
  CHECK(world.result(key) == "fired");
  CHECK(clock_steps(world) == 0);
  check_order(world.records());
}

TEST_CASE("S4: at an opening log time starts at the later of the last record's and the wall clock") {
  auto world = world_of(ten_seconds);
  world.start(key, "");
  world.clock().advance(8s);  // down
  world.crash();
  world.pass(2s - 1us);
  CHECK(world.status(key).state.live());
  world.pass(1us);
  CHECK(world.result(key) == "fired");
}

TEST_CASE("S4: elapsed time counts neither jumps nor the time while nobody had the log open") {
  auto world = world_of(ten_seconds);
  const auto elapsed = [&world] {
    world.event(key, "x", "");
    return world.records().back().elapsed;
  };
  const auto start = elapsed();
  world.pass(3s);
  CHECK(elapsed() - start == 3s);
  world.clock().set_wall(world.clock().wall_time() + 1h);
  CHECK(elapsed() - start == 3s);
  world.clock().advance(1h);
  world.crash();
  CHECK(elapsed() - start == 3s);
}

TEST_CASE("S5, P7: overdue timers fire in due order after a restart, ties in the order of creation") {
  auto world = world_of(timers);
  world.start(key, "3,1,2,1,5");
  world.clock().advance(4s);
  world.crash();
  world.settle();
  const auto left = world.status(key).state.timers;
  CHECK(left.size() == 1);
  world.pass(1s);
  CHECK(world.result(key) == "11235");
}

TEST_CASE("S5: timers that are due in the past or now fire in the next turn, in due order") {
  auto world = world_of([](Context& ctx, const Text&) {
    Text log;
    auto now = ctx.create_timer(Duration::zero());
    auto past = ctx.create_timer_at(LogTime{});
    auto before_time = ctx.create_timer(Duration::min());
    CHECK(!now.ready());
    CHECK(!past.ready());
    std::vector<const Awaitable*> all{&now, &past, &before_time};
    log += std::to_string(ctx.when_any(all));
    now.wait();
    return log + (past.ready() ? "past " : "") + (before_time.ready() ? "before" : "");
  });
  world.start(key, "");
  world.settle();
  CHECK(world.result(key) == "2past before");
}

TEST_CASE("S5: any representable length is a legal timer, and the longest never fires") {
  auto world = world_of([](Context& ctx, const Text&) {
    auto longest = ctx.create_timer(Duration::max());
    auto last = ctx.create_timer_at(LogTime::max());
    auto event = ctx.expect_event<Text>("e");
    return std::to_string(ctx.when_any({&longest, &last, &event}));
  });
  world.start(key, "");
  world.pass(24h * 365);
  world.crash();
  CHECK(world.status(key).state.live());
  world.event(key, "e", "");
  CHECK(world.result(key) == "2");
}

TEST_CASE("S5: a cancelled timer does not fire and keeps nothing running") {
  auto world = world_of([](Context& ctx, const Text&) {
    auto timer = ctx.create_timer(1h);
    ctx.create_timer(1s).wait();
    timer.cancel();
    return Text("done");
  });
  world.start(key, "");
  world.pass(1s);
  const auto state = world.status(key).state;
  CHECK(!state.live());
  CHECK(state.timers.empty());
  const auto records = world.records().size();
  world.pass(2h);
  CHECK(world.records().size() == records);
}

TEST_CASE("S5: a timer that somebody forgot does not keep an instance running") {
  auto world = world_of([](Context& ctx, const Text&) {
    auto forgotten = ctx.create_timer(24h);
    return Text("done");
  });
  world.start(key, "");
  CHECK(world.result(key) == "done");
}

TEST_CASE("S5, P9: timers of instances that are not in memory fire too, from rows of the store") {
  EngineOptions options;
  options.checkpoint_age_records = 1;
  World world([](Registry& registry) { registry.orchestrator("it", ten_seconds); }, options);
  for (int i = 0; i < 50; ++i) {
    world.start({"it", std::to_string(i)}, "");
    world.pass(1ms);
  }
  REQUIRE(world.disk().snapshot()->info().fold_from > 40);
  world.crash();
  CHECK(world.engine().stats().in_memory < 10);
  world.pass(10s);
  for (int i = 0; i < 50; ++i) CHECK(world.result({"it", std::to_string(i)}) == "fired");
}

TEST_CASE("S1: what one caller sends one after the other is accepted in that order, whatever the lanes do") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    World world([](Registry& registry) { registry.orchestrator("it", ten_seconds); }, {}, seed);
    std::vector<Position> positions;
    for (int i = 0; i < 50; ++i) {
      world.engine().raise_event({"it", std::to_string(i % 3)}, "e", Text(), {},
                                 [&](const Result<Accepted>& result) { positions.push_back(result.value.position); });
      if (i % 7 == 0) world.executor().run_one();
    }
    world.settle();
    REQUIRE(positions.size() == 50);
    CHECK(std::is_sorted(positions.begin(), positions.end()));
  }
}
