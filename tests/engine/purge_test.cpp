// Retention: history goes when it is old and nothing needs it, in bounded steps; what is needed stays (S28).
#include "tests/engine/purged.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace bobbin;
using namespace bobbin::testing;
using namespace std::chrono_literals;

TEST_CASE("S7, S28: the outcome of an activity whose instance has been forgotten is late, and counted") {
  const InstanceName name{"call", "forgotten"};
  World world(register_purged, purging_options());
  world.event_with_start(name, "", "go", "");
  REQUIRE(world.runner().tasks.size() == 1);
  world.terminate(name);
  let_pass(world, 3h);
  REQUIRE(!world.disk().snapshot()->instance(instance_id(name)));
  CHECK(world.run_activity());
  CHECK(world.engine().stats().late_inputs == 1);
  CHECK(world.engine().stats().activities_running == 0);
}

TEST_CASE("S28: a finished run's history and row go one retention after its end, not before; a live one's stay") {
  World world(register_purged, purging_options());
  world.event_with_start(pair_of(1), "", "e", "a");
  world.event_with_start(pair_of(2), "", "e", "b");
  world.pass(30min);
  world.event(pair_of(1), "e", "c");
  CHECK(world.result(pair_of(1)) == "ac");
  move_on(world);
  let_pass(world, 50min);
  CHECK(records_of(world, pair_of(1)) >= 2);
  CHECK(world.result(pair_of(1)) == "ac");
  let_pass(world, 40min);
  CHECK(records_of(world, pair_of(1)) == 0);
  CHECK(!has_row(world, pair_of(1)));
  CHECK(world.disk().snapshot()->purged_stretches().size() >= 1);
  CHECK_THROWS_AS(world.called<InstanceStatus>([](Engine& engine, auto done) { engine.status(pair_of(1), done); }),
                  NotFound);
  check_sound(world);
  CHECK(records_of(world, pair_of(2)) == 1);
  world.crash();
  world.event(pair_of(2), "e", "d");
  CHECK(world.result(pair_of(2)) == "bd");
  check_sound(world);
}

TEST_CASE(
    "S28: an instance that is purged by hand is gone at once, and its history as soon as recovery needs it no more") {
  World world(register_purged, purging_options());
  for (int run = 0; run < 2; ++run) {
    world.event_with_start(pair_of(1), "", "e", "a");
    world.event(pair_of(1), "e", "b");
  }
  world.event_with_start(pair_of(2), "", "e", "c");
  const auto purged = world.purge(pair_of(1));
  CHECK(purged.how == Acceptance::done);
  CHECK_THROWS_AS(world.status(pair_of(1)), NotFound);
  CHECK(world.list().size() == 1);
  CHECK_THROWS_AS(world.purge(pair_of(1)), NotFound);
  SUBCASE("") {}
  SUBCASE("a crash between them changes nothing") {
    world.crash();
    CHECK_THROWS_AS(world.status(pair_of(1)), NotFound);
  }
  move_on(world);
  let_pass(world, 1min);
  CHECK(records_of(world, pair_of(1)) == 0);
  CHECK(!has_row(world, pair_of(1)));
  CHECK(records_of(world, pair_of(2)) == 1);
  CHECK(world.ledger("pair").accepted == 5);
  check_sound(world);
}

TEST_CASE("S28: purging by hand touches no live run, and nothing that is needed yet") {
  World world(register_purged, purging_options());
  world.event_with_start(pair_of(1), "", "e", "a");
  CHECK_THROWS_AS(world.purge(pair_of(1)), InvalidArgument);
  CHECK_THROWS_AS(world.purge(pair_of(7)), NotFound);

  SUBCASE("the run that began after it") {
    world.event(pair_of(1), "e", "b", {.dedup_id = "b"});
    const auto first = world.purge(pair_of(1), {.dedup_id = "purge"});
    CHECK(world.event(pair_of(1), "e", "b", {.dedup_id = "b"}).value.how == Acceptance::duplicate);  // S13
    world.event_with_start(pair_of(1), "", "e", "c");
    CHECK(world.status(pair_of(1)).state.run_number == 1);
    const auto again = world.purge(pair_of(1), {.dedup_id = "purge"});
    CHECK(again.how == Acceptance::duplicate);
    CHECK(again.position == first.position);
  }
  SUBCASE("an event in the mailbox") {
    world.event(pair_of(1), "e", "b");
    world.event(pair_of(1), "e", "c");
    world.purge(pair_of(1));
    CHECK(world.status(pair_of(1)).state.unread.size() == 1);
    move_on(world);
    world.crash();
    world.start(pair_of(1), "");
  }
  move_on(world);
  let_pass(world, 1min);
  world.crash();
  world.event(pair_of(1), "e", "d");
  CHECK(world.result(pair_of(1)) == "cd");
  check_sound(world);
}

TEST_CASE("S28: instances that are purged one after another all go") {
  World world(register_purged, purging_options());
  for (int i = 0; i < 30; ++i) {
    world.event_with_start(pair_of(i), "", "e", "a");
    world.event(pair_of(i), "e", "b");
    move_on(world, 20);
    world.purge(pair_of(i));
  }
  move_on(world);
  let_pass(world, 1min);
  for (int i = 0; i < 30; ++i) {
    CAPTURE(i);
    CHECK(records_of(world, pair_of(i)) == 0);
  }
  check_sound(world);
}

TEST_CASE("S28: a purged instance begins anew") {
  World world(register_purged, purging_options());
  world.event_with_start(pair_of(1), "", "e", "a");
  world.event(pair_of(1), "e", "b");
  move_on(world);
  let_pass(world, 2h);
  REQUIRE(!has_row(world, pair_of(1)));
  SUBCASE("by a start") { CHECK(world.event_with_start(pair_of(1), "", "e", "c").value.how == Acceptance::started); }
  SUBCASE("by an event for its mailbox") {
    CHECK(world.event(pair_of(1), "e", "c").value.how == Acceptance::mailbox);
    world.crash();
    CHECK(world.start(pair_of(1), "").value.how == Acceptance::started);
  }
  world.crash();
  CHECK(world.status(pair_of(1)).state.run_number == 1);
  world.event(pair_of(1), "e", "d");
  CHECK(world.result(pair_of(1)) == "cd");
  check_sound(world);
}

TEST_CASE("S28: an instance that is used again just as it is forgotten keeps what it gets") {
  // The row's deletion and the new start race; whichever batch they are in, a crash behind each commit finds the event.
  for (int step = 0; step < 40; ++step) {
    World world(register_purged, purging_options());
    world.event_with_start(pair_of(1), "", "e", "a");
    world.event(pair_of(1), "e", "b");
    move_on(world);
    for (int i = 0; i < step; ++i) {
      world.pass(2min);
      move_on(world, 20);
    }
    world.event_with_start(pair_of(1), "", "e", "c");
    move_on(world, 3);
    world.crash();
    world.event(pair_of(1), "e", "d");
    CHECK(world.result(pair_of(1)) == "cd");
    check_sound(world);
  }
}

TEST_CASE("S13, S28: a dedup id outlives the history that it stood in") {
  auto with_horizon = purging_options();
  with_horizon.dedup_horizon = 24h;
  World world(register_purged, with_horizon);
  const auto first = world.event_with_start(pair_of(1), "", "e", "a", {.dedup_id = "id"}).value;
  world.event(pair_of(1), "e", "b");
  for (int i = 0; i < 40; ++i) world.start(pair_of(100 + i), "", {.dedup_id = std::to_string(i)});
  world.pass(4h);
  let_pass(world, 3h);
  REQUIRE(records_of(world, pair_of(1)) == 0);
  for (int opens = 0; opens < 2; ++opens) {
    const auto again = world.event_with_start(pair_of(1), "", "e", "a", {.dedup_id = "id"}).value;
    CHECK(again.how == Acceptance::duplicate);
    CHECK(again.position == first.position);
    world.crash();
  }
}

TEST_CASE("S10, S28: an event in the mailbox keeps its record as long as it waits") {
  auto long_mailbox = purging_options();
  long_mailbox.mailbox_time_to_live = 5h;
  World world(register_purged, long_mailbox);
  world.event(pair_of(1), "e", "a");
  move_on(world);
  let_pass(world, 3h);
  CHECK(records_of(world, pair_of(1)) == 1);
  world.event_with_start(pair_of(1), "", "e", "b");
  CHECK(world.result(pair_of(1)) == "ab");
  world.event(pair_of(2), "e", "c");
  let_pass(world, 8h);
  CHECK(records_of(world, pair_of(1)) == 0);
  CHECK(records_of(world, pair_of(2)) == 0);
  CHECK(!has_row(world, pair_of(2)));
  check_sound(world);
}

TEST_CASE("S28: a purge that is due does not keep the lane busy while a commit takes long") {
  World world(register_purged, purging_options());
  world.event_with_start(pair_of(1), "", "e", "a");
  world.event(pair_of(1), "e", "b");
  world.clock().advance(3h);
  world.engine().start(pair_of(2), std::string(), {}, [](const Result<Accepted>&) {});
  for (int i = 0; i < 5; ++i) {
    world.executor().wake(Lane::orchestrator);
    world.executor().run(Lane::orchestrator);
  }
  CHECK((!world.executor().next_delay() || *world.executor().next_delay() > Duration::zero()));
}

TEST_CASE("S28: an idle engine purges, too, and under a load of finished runs the log stays bounded") {
  World world(register_purged, purging_options());
  std::size_t most = 0;
  for (int round = 0; round < 60; ++round) {
    for (int i = 0; i < 40; ++i) {
      const auto name = pair_of(round * 40 + i);
      world.event_with_start(name, "", "e", "a");
      world.event(name, "e", "b");
    }
    world.pass(5min);
    most = std::max(most, world.records().size());
  }
  CHECK(most < 2'500);  // an hour of it is 960 records, of 4,800
  world.pass(5h);
  CHECK(world.records().size() < 200);
  check_sound(world);
}
