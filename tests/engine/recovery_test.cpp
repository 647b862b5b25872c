// What a restart must not change: the order of overdue timers, dedup ids that came again, attempt numbers, quarantine.
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

using namespace bobbin;
using namespace bobbin::testing;
using namespace std::chrono_literals;

namespace {

using Text = std::string;

InstanceName named(const char* orchestrator, int number) { return {orchestrator, "k" + std::to_string(number)}; }

}  // namespace

TEST_CASE("S5: overdue timers of many instances fire in due order after a restart") {
  std::string fired;
  const auto registration = [&fired](Registry& registry) {
    registry.orchestrator("wait", [&fired](Context& ctx, const std::string& seconds) {
      ctx.create_timer(std::chrono::seconds(std::stoi(seconds))).wait();
      if (!ctx.replaying()) fired += seconds;
    });
  };
  World world(registration);
  for (const int seconds : {4, 9, 1, 7, 3, 8, 2, 6, 5}) world.start(named("wait", seconds), std::to_string(seconds));
  world.crash();
  world.clock().advance(1h);
  world.executor().wake(Lane::orchestrator);
  world.settle();
  CHECK(fired == "123456789");
}

TEST_CASE("S13: an id that came again beyond the horizon is remembered over a crash from its second acceptance") {
  EngineOptions options;
  options.dedup_horizon = 1h;
  World world(
      [](Registry& registry) {
        registry.orchestrator("idle",
                              [](Context& ctx, const std::string&) { ctx.wait_for_event<std::string>("never"); });
      },
      options);
  const auto name = named("idle", 1);
  world.start(name, "");
  const auto raise = [&](const std::string& id) { return world.event(name, "x", "", {.dedup_id = id}).value.how; };
  CHECK(raise("a") == Acceptance::appended);
  world.pass(3h);
  raise("other");  // lets the old ids go
  world.pass(1s);
  CHECK(raise("a") == Acceptance::appended);
  CHECK(raise("a") == Acceptance::duplicate);
  world.crash();
  CHECK(raise("a") == Acceptance::duplicate);
  world.pass(1min);
  CHECK(raise("a") == Acceptance::duplicate);
}

TEST_CASE("S21: attempt numbers count the opens since the decision, however the tail was folded") {
  EngineOptions options;
  options.checkpoint_age_records = 4;  // rows and log state leave while the activity runs
  World world(
      [](Registry& registry) {
        registry.orchestrator("call", [](Context& ctx, const std::string&) {
          return ctx.call_activity<std::string>("work", std::string());
        });
        registry.orchestrator("busy", [](Context& ctx, const std::string&) {
          for (;;) ctx.wait_for_event<std::string>("tick");
        });
        registry.activity("work", [](const ActivityContext&, const std::string&) { return std::string(); });
      },
      options);
  world.start(named("call", 1), "");
  std::vector<std::uint32_t> attempts{world.runner().tasks.front().context.attempt};
  for (int open = 0; open < 4; ++open) {
    for (int i = 0; i < 20; ++i) world.event_with_start(named("busy", i % 3), "", "tick", "");
    world.crash();
    world.settle();
    REQUIRE(world.runner().tasks.size() == 1);
    attempts.push_back(world.runner().tasks.front().context.attempt);
  }
  CHECK(attempts == std::vector<std::uint32_t>{1, 2, 3, 4, 5});
}

TEST_CASE("S16: nothing of a quarantined run is executed, and it leaves quarantine at an open by itself") {
  const auto registration = [](const char* activity) {
    return [activity](Registry& registry) {
      registry.orchestrator("two", [activity](Context& ctx, const std::string&) {
        auto first = ctx.schedule_activity<std::string>(activity, std::string());
        ctx.wait_for_event<std::string>("go");
        return first.get();
      });
      for (const char* name : {"old", "new"})
        registry.activity(name, [](const ActivityContext&, const std::string&) { return std::string("done"); });
    };
  };
  World world(registration("old"));
  const auto name = named("two", 1);
  world.start(name, "");
  world.set_registration(registration("new"));
  world.crash();
  world.event(name, "go", "");
  world.settle();
  CHECK(world.status(name).state.quarantined);
  world.crash();
  world.settle();
  CHECK(world.status(name).state.quarantined);
  CHECK(world.runner().tasks.empty());
  world.set_registration(registration("old"));
  world.crash();
  world.run_to_rest();
  CHECK_FALSE(world.status(name).state.quarantined);
  CHECK(world.result(name) == "done");
}

TEST_CASE("S19: child fibers are unwound before what they refer to, in eviction, cancellation and at the end") {
  std::string order;
  struct Guard {
    std::string& log;
    const char* what;
    ~Guard() { log += what; }
  };
  World world([&order](Registry& registry) {
    registry.orchestrator("family", [&order](Context& ctx, const std::string& how) {
      const Guard outer{order, "p"};
      auto timer = ctx.create_timer(1h);
      {
        auto child = ctx.spawn([&] {
          const Guard inner{order, "c"};
          timer.wait();
        });
        ctx.wait_for_event<std::string>("go");
        if (how == "throw") throw ApplicationError("test", "on purpose");
      }
      order += "|";
    });
  });
  SUBCASE("cancelled by its handle") {
    world.event_with_start(named("family", 1), "", "go", "");
    CHECK(order == "c|p");
  }
  SUBCASE("at an exceptional end") {
    world.event_with_start(named("family", 1), "throw", "go", "");
    CHECK(order == "cp");
  }
  SUBCASE("by closing") {
    world.start(named("family", 1), "");
    world.close();
    CHECK(order == "cp");
  }
}

TEST_CASE(
    "P1: a newly opened engine lets nothing out before the record of its opening is durable, repetitions neither") {
  World world([](Registry& registry) {
    registry.orchestrator("wait", [](Context& ctx, const Text&) { return ctx.wait_for_event<Text>("e").value; });
    registry.orchestrator("call", [](Context& ctx, const Text& input) { return ctx.call_activity<Text>("do", input); });
    registry.activity("do", [](const ActivityContext&, const Text& value) { return value; });
  });
  const InstanceName waiting{"wait", "k"}, calling{"call", "k"}, ended{"wait", "ended"};
  world.start(waiting, "");
  world.event(waiting, "other", "value", {.dedup_id = "id"});
  world.start(calling, "input");
  world.start(ended, "");
  world.event(ended, "e", "value");
  REQUIRE(world.runner().tasks.size() == 1);
  world.crash();
  // What is in the log may be in a page cache alone until the first commit of this life has been synced.
  world.cut_power();
  int let_out = 0;
  const auto count = [&let_out](const auto& result) { let_out += !result.error; };
  auto& engine = world.engine();
  engine.raise_event(waiting, "other", Text("value"), {.dedup_id = "id"}, count);
  engine.start(waiting, Text(), {}, count);
  engine.status(waiting, count);
  engine.wait(ended, count);
  engine.list({}, count);
  engine.ledgers(count);
  engine.dead_letters({}, 10, count);
  for (int i = 0; i < 10; ++i) world.settle();
  CHECK(let_out == 0);
  CHECK(world.runner().tasks.empty());
  // With power all of it comes.
  world.crash();
  CHECK(world.event(waiting, "other", "value", {.dedup_id = "id"}).value.how == Acceptance::duplicate);
  CHECK(world.result(ended) == "value");
  CHECK(world.runner().tasks.size() == 1);
}
