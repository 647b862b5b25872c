// Retention: history goes when it is old and nothing needs it, in bounded steps; what is needed stays (S14, S28).
#include "tests/support/log_audit.hpp"
#include "tests/support/world.hpp"

#include <bobbin/verify.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <utility>

using namespace bobbin;
using namespace bobbin::testing;
using namespace std::chrono_literals;

namespace {

using Text = std::string;

void registration(Registry& registry) {
  registry.orchestrator("pair", [](Context& ctx, const Text&) {
    const auto a = ctx.wait_for_event<Text>("e").value;
    return a + ctx.wait_for_event<Text>("e").value;
  });
  registry.orchestrator("refuse", [](Context& ctx, const Text& input) {
    return input == "refuse" ? Text("took nothing") : ctx.wait_for_event<Text>("e").value;
  });
  registry.orchestrator("call", [](Context& ctx, const Text& input) {
    ActivityOptions options;
    options.dead_letter_on_failure = true;
    ctx.wait_for_event<Text>("go");  // so that the decision stands in another record than the run's start
    return ctx.call_activity<Text>("do", input, options);
  });
  registry.activity("do", [](const ActivityContext& context, const Text&) { return context.idempotency_key; });
}

EngineOptions options() {
  EngineOptions options;
  options.retention = 1h;
  options.checkpoint_age_records = 5;
  return options;
}

InstanceName pair_of(int number) { return {"pair", std::to_string(number)}; }

// Records that have nothing to do with any other, until the rows of all others are written.
void move_on(World& world, int records = 200) {
  static int number = 1'000'000;
  for (int i = 0; i < records; ++i) world.start(pair_of(number++), "");
}

// As often as history may go again.
void let_pass(World& world, Duration time) {
  for (const auto end = world.clock().boot_time() + time; world.clock().boot_time() < end;) {
    world.pass(std::min<Duration>(10min, end - world.clock().boot_time()));
    move_on(world, 40);
  }
}

std::size_t records_of(World& world, const InstanceName& name) {
  std::size_t count = 0;
  for (const auto& record : world.records()) count += record.instance == instance_id(name);
  return count;
}

bool has_row(World& world, const InstanceName& name) {
  world.settle();
  return world.disk().snapshot()->instance(instance_id(name)).has_value();
}

void check_sound(World& world) {
  world.settle();
  const auto snapshot = world.disk().snapshot();
  const auto report = verify(*snapshot);
  for (const auto& issue : report.issues) MESSAGE(issue.what);
  CHECK(report.ok());
  for (std::size_t i = 1; i < report.purged.size(); ++i) {  // else there would be more and more of them
    INFO("neighbouring stretches are one");
    CHECK(report.purged[i - 1].last + 1 < report.purged[i].first);
  }
  for (const auto& ledger : world.ledgers()) CHECK(ledger.balanced());
}

}  // namespace

TEST_CASE("S7, S28: the outcome of an activity whose instance has been forgotten is late, and counted") {
  const InstanceName name{"call", "forgotten"};
  World world(registration, options());
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
  World world(registration, options());
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
  World world(registration, options());
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
  World world(registration, options());
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

TEST_CASE("S14, S28: a dead letter outlives the purge of its instance") {
  World world(registration, options());
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

TEST_CASE("S28: instances that are purged one after another all go") {
  World world(registration, options());
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
  World world(registration, options());
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
    World world(registration, options());
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
  auto with_horizon = options();
  with_horizon.dedup_horizon = 24h;
  World world(registration, with_horizon);
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

TEST_CASE("S14, S28: a dead letter keeps what it needs until it is settled") {
  World world(registration, options());
  bool activity = false;
  SUBCASE("an event") {}
  SUBCASE("an activity") { activity = true; }
  const InstanceName name{activity ? "call" : "refuse", "k"};
  Text key;
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
  auto settings = options();
  settings.carries_before_dead = 1;
  World world(registration, settings);
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
  auto settings = options();
  settings.carries_before_dead = 1;
  World world(registration, settings);
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

TEST_CASE("S10, S28: an event in the mailbox keeps its record as long as it waits") {
  auto long_mailbox = options();
  long_mailbox.mailbox_time_to_live = 5h;
  World world(registration, long_mailbox);
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
  World world(registration, options());
  world.event_with_start(pair_of(1), "", "e", "a");
  world.event(pair_of(1), "e", "b");
  world.clock().advance(3h);
  world.engine().start(pair_of(2), Text(), {}, [](const Result<Accepted>&) {});
  for (int i = 0; i < 5; ++i) {
    world.executor().wake(Lane::orchestrator);
    world.executor().run(Lane::orchestrator);
  }
  CHECK((!world.executor().next_delay() || *world.executor().next_delay() > Duration::zero()));
}

TEST_CASE("S28: an idle engine purges, too, and under a load of finished runs the log stays bounded") {
  World world(registration, options());
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

namespace {

std::size_t rows_of(MemoryDisk& disk) { return disk.snapshot()->instances({}, 100'000).size(); }

// Runs of one record each, whose history has just been purged by an idle engine, and most of whose rows are still
// there.
World world_that_purges(int runs, std::uint64_t checkpoint_age_records = 5) {
  auto settings = options();
  settings.checkpoint_age_records = checkpoint_age_records;
  World world(registration, settings);
  for (int i = 0; i < runs; ++i) world.event_with_start({"refuse", std::to_string(i)}, "take", "e", "a");
  move_on(world);
  while (world.engine().stats().purged < static_cast<std::uint64_t>(runs)) world.pass(10ms);
  return world;
}

}  // namespace

TEST_CASE("S28: the rows of what has been purged go before an engine closes") {
  auto world = world_that_purges(2'000);
  REQUIRE(rows_of(world.disk()) > 1'500);
  world.close();
  CHECK(rows_of(world.disk()) < 300);
}

TEST_CASE("S28: an instance that is used again while its row waits to be deleted keeps the new one") {
  constexpr int runs = 3'500;
  auto world = world_that_purges(runs, 1);
  REQUIRE(rows_of(world.disk()) > 3'000);
  const auto last = [](int i) { return InstanceName{"refuse", std::to_string(runs - 1 - i)}; };
  for (int i = 0; i < 10; ++i) world.start(last(i), "take");
  int rows_written = 0;
  while (rows_of(world.disk()) > 700) {
    move_on(world, 1);
    for (int i = 0; i < 10; ++i) rows_written += has_row(world, last(i)) && world.status(last(i)).state.live();
  }
  CHECK(rows_written > 0);
  move_on(world, 20);
  world.crash();
  for (int i = 0; i < 10; ++i) {
    world.event(last(i), "e", "b");
    CHECK(world.result(last(i)) == "b");
  }
  check_sound(world);
}

TEST_CASE("S28: an instance that is forgotten is in no list, and pages are full though its row is there") {
  auto world = world_that_purges(2'000);
  REQUIRE(rows_of(world.disk()) > 1'500);
  constexpr std::size_t limit = 50;
  std::optional<InstanceId> after;
  std::size_t listed = 0;
  for (bool more = true; more;) {
    const auto page = world.list({after, limit});
    for (const auto& state : page) CHECK(state.name.orchestrator == "pair");
    more = page.size() == limit;
    listed += page.size();
    if (more) after = page.back().id;
  }
  CHECK(listed == 200);  // those that moved on
}

TEST_CASE("S28: the rows of what an idle engine purges go too, a few in each commit") {
  World world(registration, options());
  constexpr int runs = 2'000;
  for (int i = 0; i < runs; ++i) world.event_with_start({"refuse", std::to_string(i)}, "take", "e", "a");
  move_on(world);
  auto left = rows_of(world.disk());
  REQUIRE(left >= runs);
  const auto first = world.disk().commits();
  world.pass(2h);  // nobody calls
  std::size_t most = 0;
  for (auto commits = first + 1; commits <= world.disk().commits(); ++commits) {
    const auto before = std::exchange(left, rows_of(*world.disk().prefix(commits)));
    most = std::max(most, before - std::min(before, left));
  }
  CHECK(left < runs / 10);
  CHECK(most > 0);
  CHECK(most <= 300);
  CHECK(world.engine().stats().in_memory < runs / 5);  // those that wait, and no other
  check_sound(world);
}
