// Dead letters outlive the purge of their instance, and keep what it takes to settle them (S14, S28).
#include "tests/engine/purged.hpp"

#include <doctest/doctest.h>

using namespace bobbin;
using namespace bobbin::testing;
using namespace std::chrono_literals;

TEST_CASE("S14, S28: a dead letter outlives the purge of its instance") {
  World world(register_purged, purging_options());
  world.event_with_start({"call", "1"}, "input", "go", "");
  world.end_activity({nullptr, {ErrorCode::application, "Final", "for good", true}});
  world.settle();
  world.purge({"call", "1"});
  move_on(world);
  let_pass(world, 1min);
  CHECK_THROWS_AS(world.status({"call", "1"}), NotFound);
  world.crash();
  REQUIRE(world.dead_letters().size() == 1);
  const auto letter = world.dead_letters().front().position;
  world.redrive(letter);
  CHECK(world.run_activity());
  world.settle();
  CHECK(world.dead_letters().front().state == DeadLetterState::redriven);
  CHECK(world.ledger("call").failed_activities == 0);
  CHECK(world.event_with_start({"call", "1"}, "input", "go", "").value.how == Acceptance::started);
  check_sound(world);
}

TEST_CASE("S14, S28: a dead letter keeps what it needs until it is settled") {
  World world(register_purged, purging_options());
  bool activity = false;
  SUBCASE("an event") {}
  SUBCASE("an activity") { activity = true; }
  const InstanceName name{activity ? "call" : "refuse", "k"};
  std::string key;
  if (activity) {
    world.start(name, "input");
    world.event(name, "go", "");
    key = world.runner().tasks.front().context.idempotency_key;
    world.end_activity({nullptr, {ErrorCode::application, "Broken", "gone", false}});
  } else {
    world.event_with_start(name, "refuse", "e", "unwanted");
  }
  world.settle();
  move_on(world);
  let_pass(world, 3h);
  const auto letter = world.dead_letters().at(0);
  CHECK(records_of(world, name) > 0);
  CHECK(!has_row(world, name));
  world.crash();
  let_pass(world, 1h);
  world.redrive(letter.position);
  if (activity) {
    world.settle();
    CHECK(world.runner().tasks.front().context.idempotency_key == key);
    world.run_activity();
  } else {
    world.start(name, "accept");
    CHECK(world.result(name) == "unwanted");
  }
  check_sound(world);
  let_pass(world, 3h);
  CHECK(records_of(world, name) == 0);
  CHECK(world.dead_letters().empty());
  check_sound(world);
}

TEST_CASE("S14, S28: a dead letter of an instance that is purged can be settled, and the instance begins anew") {
  auto settings = purging_options();
  settings.carries_before_dead = 1;
  World world(register_purged, settings);
  for (const auto* value : {"a", "b"}) world.event_with_start(pair_of(1), "", "other", value);
  world.terminate(pair_of(1));
  const auto letters = world.dead_letters();
  REQUIRE(letters.size() == 2);
  move_on(world);
  let_pass(world, 3h);
  REQUIRE(!has_row(world, pair_of(1)));
  world.discard(letters[0].position);
  CHECK(world.ledger("pair").dead_lettered == 1);
  CHECK(world.ledger("pair").discarded == 1);
  world.redrive(letters[1].position);
  CHECK(world.ledger("pair").pending == 1);
  check_sound(world);
  CHECK(!world.start(pair_of(1), "").error);
  world.crash();
  CHECK(world.status(pair_of(1)).state.unread.size() == 1);
  check_sound(world);
}

TEST_CASE("S14, S28: a dead letter that was redriven and died again outlives the record of its redriving") {
  auto settings = purging_options();
  settings.carries_before_dead = 1;
  World world(register_purged, settings);
  const InstanceName name{"refuse", "1"};
  world.event_with_start(name, "refuse", "e", "a");
  const auto letter = world.dead_letters().at(0).position;
  world.redrive(letter);
  world.start(name, "refuse");
  REQUIRE(world.dead_letters().at(0).state == DeadLetterState::dead);
  move_on(world);
  let_pass(world, 3h);
  REQUIRE(world.dead_letters().size() == 1);
  CHECK(world.dead_letters()[0].state == DeadLetterState::dead);
  world.redrive(letter);
  world.start(name, "take");
  CHECK(world.result(name) == "a");
  check_sound(world);
}
