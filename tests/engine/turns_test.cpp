// A run from start to end, and the order of its inputs (S1 to S5, S9, S11).
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

using namespace bobbin;
using namespace bobbin::testing;
using namespace std::chrono_literals;

namespace {

// Collects "sms" events for 5 s from the first one, at most 3, and delivers them joined by '+'.
std::string collect(Context& ctx, const std::string&) {
  auto first = ctx.wait_for_event<std::string>("sms");
  auto closes = ctx.create_timer_at(first.accepted_at + 5s);
  std::string batch = first.value;
  for (int count = 1; count < 3; ++count) {
    auto sms = ctx.wait_for_event<std::string>("sms", closes);
    if (!sms) break;
    batch += "+" + sms->value;
  }
  return ctx.call_activity<std::string>("deliver", batch);
}

void registration(Registry& registry) {
  registry.orchestrator("collect", collect);
  registry.activity("deliver", [](const ActivityContext&, const std::string& batch) { return "<" + batch + ">"; });
}

const InstanceName alice{"collect", "alice"};

}  // namespace

TEST_CASE("S9: the first event starts the run, later ones are appended, and one batch comes out") {
  World world(registration);
  CHECK(world.event_with_start(alice, "", "sms", "a").value.how == Acceptance::started);
  CHECK(world.event_with_start(alice, "", "sms", "b").value.how == Acceptance::appended);
  world.pass(5s);
  world.run_to_rest();
  CHECK(world.result(alice) == "<a+b>");
}

TEST_CASE("S5: a timer never fires early, and fires at its due time") {
  World world(registration);
  world.event_with_start(alice, "", "sms", "a");
  world.pass(5s - 1us);
  CHECK(world.runner().tasks.empty());
  world.pass(1us);
  CHECK(world.runner().tasks.size() == 1);
}

TEST_CASE("S5, S11: an event accepted at or after the window's end is not in it, however late the timer fires") {
  World world(registration);
  world.event_with_start(alice, "", "sms", "a");
  world.clock().advance(5s);  // the engine has not run since: timer and event meet in one turn
  CHECK(world.event_with_start(alice, "", "sms", "late").value.how == Acceptance::appended);
  world.run_to_rest();
  world.pass(5s);
  world.run_to_rest();
  CHECK(world.result(alice) == "<late>");
}

TEST_CASE("A crash after every commit of a run leads to the same result") {
  World reference(registration);
  reference.event_with_start(alice, "", "sms", "a", {.dedup_id = "1"});
  reference.pass(1s);
  reference.event_with_start(alice, "", "sms", "b", {.dedup_id = "2"});
  reference.pass(4s);
  reference.run_to_rest();
  REQUIRE(reference.result(alice) == "<a+b>");
  const auto commits = reference.disk().commits();
  REQUIRE(commits >= 4);
  for (std::uint64_t cut = 0; cut <= commits; ++cut) {
    CAPTURE(cut);
    World world(registration);
    world.crash_to(reference.disk().prefix(cut));
    // The client repeats what it may not have been answered.
    world.event_with_start(alice, "", "sms", "a", {.dedup_id = "1"});
    world.event_with_start(alice, "", "sms", "b", {.dedup_id = "2"});
    world.pass(10s);
    world.run_to_rest();
    CHECK(world.result(alice) == "<a+b>");
  }
}
