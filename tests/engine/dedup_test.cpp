// A repeated dedup id is acknowledged and not appended (S13, P2).
#include "tests/support/log_audit.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

using namespace bobbin;
using namespace bobbin::testing;
using namespace std::chrono_literals;

namespace {

using Text = std::string;

// Ends after two events "e".
Text pairs(Context& ctx, const Text&) {
  const auto a = ctx.wait_for_event<Text>("e").value;
  return a + ctx.wait_for_event<Text>("e").value;
}

void registration(Registry& registry) { registry.orchestrator("pairs", pairs); }

const InstanceName key{"pairs", "k"};

void check_repeats(const Accepted& first, const Accepted& again) {
  CHECK(again.how == Acceptance::duplicate);
  CHECK(again.id == first.id);
  CHECK(again.run == first.run);
  CHECK(again.position == first.position);
  CHECK(again.accepted_at == first.accepted_at);
}

}  // namespace

TEST_CASE("S13: every kind of acceptance is repeated with the first one's run, position and time, also after a crash") {
  World world(registration);
  const auto mailbox = world.event(key, "x", "0", {.dedup_id = "mailbox"}).value;
  CHECK(mailbox.how == Acceptance::mailbox);
  const auto started = world.event_with_start(key, "", "e", "1", {.dedup_id = "started"}).value;
  world.pass(1s);
  const auto appended = world.event_with_start(key, "", "e", "2", {.dedup_id = "appended"}).value;
  CHECK(appended.how == Acceptance::appended);
  CHECK(!world.status(key).state.live());
  const auto later_mailbox = world.event(key, "x", "3", {.dedup_id = "later mailbox"}).value;
  CHECK(later_mailbox.how == Acceptance::mailbox);
  const auto start = world.start(key, "", {.dedup_id = "start"}).value;
  const auto replaced = world.start(key, "", {.dedup_id = "replaced", .if_live = IfLive::terminate_existing}).value;
  const auto ended = world.terminate(key, {.dedup_id = "ended"}).value;
  const auto before = world.records().size();
  for (int opens = 0; opens < 3; ++opens) {
    CAPTURE(opens);
    world.pass(1s);
    check_repeats(mailbox, world.event(key, "x", "0", {.dedup_id = "mailbox"}).value);
    check_repeats(started, world.event_with_start(key, "", "e", "1", {.dedup_id = "started"}).value);
    check_repeats(appended, world.event_with_start(key, "", "e", "2", {.dedup_id = "appended"}).value);
    check_repeats(later_mailbox, world.event(key, "x", "3", {.dedup_id = "later mailbox"}).value);
    check_repeats(start, world.start(key, "", {.dedup_id = "start"}).value);
    check_repeats(replaced, world.start(key, "", {.dedup_id = "replaced"}).value);
    check_repeats(ended, world.terminate(key, {.dedup_id = "ended"}).value);
    CHECK(world.records().size() == before + static_cast<std::size_t>(opens));  // the openings
    world.crash();
  }
  CHECK(!world.status(key).state.live());
  CHECK(world.engine().stats().accepted == 0);
}

TEST_CASE("S13: an event that began a successor is repeated with that one, though others have carried it since") {
  World world([](Registry& registry) {
    registry.orchestrator("pairs", [](Context& ctx, const Text&) {
      auto closes = ctx.create_timer(1h);
      while (ctx.wait_for_event<Text>("e", closes)) {
      }
    });
  });
  world.event_with_start(key, "", "e", "1");
  world.clock().advance(1h);
  const auto successor = world.event_with_start(key, "", "other", "2", {.dedup_id = "2"}).value;
  REQUIRE(successor.how == Acceptance::successor);
  world.pass(10min);  // long enough that the id's run is frozen when the log is folded
  world.terminate(key);
  check_repeats(successor, world.event_with_start(key, "", "other", "2", {.dedup_id = "2"}).value);
  world.crash();
  check_repeats(successor, world.event_with_start(key, "", "other", "2", {.dedup_id = "2"}).value);
}

TEST_CASE("S13: a start that used the live run is repeated with that run, also when it has ended, also after a crash") {
  World world(registration);
  world.start(key, "");
  world.pass(1s);
  const auto existing = world.start(key, "", {.dedup_id = "existing"}).value;
  REQUIRE(existing.how == Acceptance::existing);
  const auto unnamed = world.start(key, "").value;
  CHECK(unnamed.how == Acceptance::existing);
  SUBCASE("live") {}
  SUBCASE("live, after a crash") { world.crash(); }
  SUBCASE("ended") {
    world.event(key, "e", "1");
    world.event(key, "e", "2");
    CHECK(world.result(key) == "12");
  }
  SUBCASE("ended, after a crash") {
    world.terminate(key);
    world.crash();
    world.crash();
  }
  world.settle();
  const auto before = world.records().size();
  check_repeats(existing, world.start(key, "", {.dedup_id = "existing"}).value);
  CHECK(world.records().size() == before);
  CHECK(LogAudit(world.records()).violations == std::vector<Text>{});
}

TEST_CASE("S13: an event that began a successor is repeated with the successor's run, also after a crash") {
  World world([](Registry& registry) {
    registry.orchestrator("pairs", [](Context& ctx, const Text&) {
      auto closes = ctx.create_timer(1h);
      while (ctx.wait_for_event<Text>("e", closes)) {
      }
    });
  });
  world.event_with_start(key, "", "e", "1");
  world.clock().advance(1h);
  const auto successor = world.event_with_start(key, "", "e", "2", {.dedup_id = "2"}).value;
  REQUIRE(successor.how == Acceptance::successor);
  check_repeats(successor, world.event_with_start(key, "", "e", "2", {.dedup_id = "2"}).value);
  world.crash();
  check_repeats(successor, world.event_with_start(key, "", "e", "2", {.dedup_id = "2"}).value);
}

TEST_CASE("S13: the same id for another instance is another id") {
  World world(registration);
  CHECK(world.event({"pairs", "a"}, "e", "1", {.dedup_id = "1"}).value.how == Acceptance::mailbox);
  CHECK(world.event({"pairs", "b"}, "e", "1", {.dedup_id = "1"}).value.how == Acceptance::mailbox);
  CHECK(world.event({"pairs", "a"}, "e", "1", {.dedup_id = "1"}).value.how == Acceptance::duplicate);
}

TEST_CASE("S13: a duplicate is answered only once the first acceptance is durable") {
  World world(registration);
  World::Answer<Accepted> first, again;
  world.engine().raise_event_with_start(key, Text(), "e", Text("1"), {.dedup_id = "1"}, first.callback());
  world.executor().run(Lane::orchestrator);  // the first is in a batch, which the writer has not taken
  world.engine().raise_event_with_start(key, Text(), "e", Text("1"), {.dedup_id = "1"}, again.callback());
  world.executor().run(Lane::orchestrator);
  world.executor().run(Lane::completion);
  CHECK(!first.given());
  CHECK(!again.given());
  SUBCASE("it becomes durable") {
    world.settle();
    check_repeats(first.get().value, again.get().value);
  }
  SUBCASE("it is lost in a crash") {
    world.crash();
    CHECK(again.get().error.code == ErrorCode::outcome_unknown);
    CHECK(world.event_with_start(key, "", "e", "1", {.dedup_id = "1"}).value.how == Acceptance::started);
  }
}

TEST_CASE("S13: a refused call is not remembered") {
  World world(registration);
  CHECK(world.terminate(key, {.dedup_id = "1"}).error.code == ErrorCode::not_found);
  world.start(key, "");
  CHECK(world.terminate(key, {.dedup_id = "1"}).value.how == Acceptance::done);
}

TEST_CASE(
    "S13: a bound that is reached opens again when the ids are beyond the horizon, also if nothing else happens") {
  EngineOptions options;
  options.dedup_memory_ids = 10;
  World world(registration, options);
  for (int i = 0; i < 10; ++i) world.event(key, "x", "", {.dedup_id = std::to_string(i)});
  world.pass(1h);
  CHECK(world.event(key, "x", "", {.dedup_id = "10"}).error.code == ErrorCode::overloaded);
  world.pass(1us);
  CHECK(world.event(key, "x", "", {.dedup_id = "10"}).value.how == Acceptance::mailbox);
}

TEST_CASE("S13: ids that come slowly are dropped from the store in time, over openings too") {
  World world(registration);
  world.start(key, "");
  for (int i = 0; i < 300; ++i) {
    world.event(key, "x", "", {.dedup_id = std::to_string(i)});
    world.pass(1min);
    if (i % 50 == 49) world.crash();
    CHECK(world.event(key, "x", "", {.dedup_id = std::to_string(std::max(0, i - 58))}).value.how ==
          Acceptance::duplicate);
  }
  CHECK(world.disk().snapshot()->dedup_runs().size() <= 10);
}

TEST_CASE("S13: at the bound new ids get Overloaded, and the known ones are still known") {
  EngineOptions options;
  options.dedup_memory_ids = 10;
  World world(registration, options);
  for (int i = 0; i < 10; ++i) CHECK(!world.event(key, "x", "", {.dedup_id = std::to_string(i)}).error);
  CHECK(world.event(key, "x", "", {.dedup_id = "10"}).error.code == ErrorCode::overloaded);
  world.crash();
  CHECK(world.event(key, "x", "", {.dedup_id = "10"}).error.code == ErrorCode::overloaded);
  CHECK(world.event(key, "x", "", {.dedup_id = "3"}).value.how == Acceptance::duplicate);
  CHECK(world.event(key, "x", "").value.how == Acceptance::mailbox);  // none to remember
}

namespace {

// Raises events with ids [from, to), 100 to a key, in small groups so that many batches carry the sorted runs.
void raise_many(World& world, int from, int to, Acceptance expected) {
  int wrong = 0;
  for (int i = from; i < to; ++i) {
    world.engine().raise_event(
        {"pairs", std::to_string(i / 100)}, "x", Text(), {.dedup_id = std::to_string(i)},
        [&wrong, expected](const Result<Accepted>& result) { wrong += result.error || result.value.how != expected; });
    if (i % 1'000 == 999) world.settle();
  }
  world.settle();
  CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("S13: ids in sorted runs of the store are remembered, over openings too, for the horizon") {
  World world(registration);
  raise_many(world, 0, 150'000, Acceptance::mailbox);
  world.pass(30min);
  const auto snapshot = world.disk().snapshot();
  const auto runs = snapshot->dedup_runs();
  REQUIRE(runs.size() == 4);
  CHECK(runs[0].entries == 32'768);
  CHECK(snapshot->info().fold_from > 65'536);  // they are not read from the log again
  raise_many(world, 0, 150'000, Acceptance::duplicate);
  world.crash();
  raise_many(world, 0, 150'000, Acceptance::duplicate);
  world.crash();
  raise_many(world, 149'000, 150'000, Acceptance::duplicate);
  CHECK(LogAudit(world.records()).ledger("pairs").accepted == 150'000);
}

TEST_CASE("S13: beyond the horizon the bound has room again") {
  EngineOptions options;
  options.dedup_memory_ids = 66'000;
  World world(registration, options);
  raise_many(world, 0, 66'000, Acceptance::mailbox);
  CHECK(world.event(key, "x", "", {.dedup_id = "more"}).error.code == ErrorCode::overloaded);
  world.pass(59min);
  CHECK(world.event({"pairs", "0"}, "x", "", {.dedup_id = "0"}).value.how == Acceptance::duplicate);
  world.pass(2min);
  world.event(key, "x", "");  // a commit, at which expiry is looked at
  CHECK(world.event(key, "x", "", {.dedup_id = "more"}).value.how == Acceptance::mailbox);
}
