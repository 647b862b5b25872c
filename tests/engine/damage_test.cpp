// Damaged records under a running engine: named, never replayed, and nobody else's loss (P10).
#include "tests/engine/damage.hpp"

#include "tests/support/log_audit.hpp"

#include <bobbin/verify.hpp>

using namespace bobbin;
using namespace bobbin::testing;
using namespace std::chrono_literals;

namespace {

using Text = std::string;

const InstanceName victim{"collect", "victim"};
const InstanceName caller{"call", "victim"};

Text number_of(Lsn lsn) { return "record " + std::to_string(lsn); }

void flip(World& world, Lsn record) { world.disk().damage_record(record, 60, 4); }

}  // namespace

TEST_CASE("P10: a run whose history is damaged is held and named, its events queue, and all others go on") {
  Lines lines;
  World world(damage_registration, lines.options());
  world.event_with_start(victim, "", "e", "a");
  const auto record = world.status(victim).state.last_record;
  move_on(world);
  world.close();
  flip(world, record);
  world.crash();
  CHECK(!world.event(victim, "e", "b").error);
  CHECK(lines.tell("'collect' is held", number_of(record)));
  CHECK(!world.event(victim, "e", "c").error);
  CHECK(world.status(victim).state.live());
  check_goes_on(world);
  const auto ledger = world.ledger("collect");
  CHECK(ledger.accepted == 6);
  CHECK(ledger.pending == 2);

  world.close();
  flip(world, record);  // as from a backup
  world.crash();
  world.settle();
  CHECK(world.result(victim) == "abc");
  CHECK(world.ledger("collect").pending == 0);
}

TEST_CASE("P10: an activity whose decision is damaged is not started and named, and all others go on") {
  Lines lines;
  World world(damage_registration, lines.options());
  world.start(caller, "x");
  const auto record = world.status(caller).state.activities.at(0).decision.lsn;
  move_on(world);
  world.close();
  flip(world, record);
  world.crash();
  world.settle();
  CHECK(world.runner().tasks.empty());
  CHECK(lines.tell("of 'call' is not started", number_of(record)));
  CHECK(world.status(caller).state.live());
  check_goes_on(world);
  world.start({"call", "sound"}, "y");
  world.run_to_rest();
  CHECK(world.result({"call", "sound"}) == "did y");

  world.close();
  flip(world, record);
  world.crash();
  world.run_to_rest();
  CHECK(world.result(caller) == "did x");
}

TEST_CASE("P10: a run that ends and cannot hand on a damaged event is held as it was, and all others go on") {
  const InstanceName handing_on{"until_go", "victim"};
  Lines lines;
  World world(damage_registration, lines.options());
  const auto unread = world.event_with_start(handing_on, "", "x", "1");
  const auto later = world.event_with_start(handing_on, "", "x", "2");
  REQUIRE(later.value.position.lsn != unread.value.position.lsn);
  const auto record = later.value.position.lsn;
  move_on(world);
  flip(world, record);
  const auto refused = world.terminate(handing_on);
  CHECK(refused.error.code == ErrorCode::corrupt);
  CHECK(refused.error.message.find(number_of(record)) != Text::npos);
  CHECK(lines.tell("a call is refused", number_of(record)));
  CHECK(!world.event(handing_on, "go", "a").error);
  CHECK(lines.tell("'until_go' is held", number_of(record)));
  CHECK(!world.event(handing_on, "go", "b").error);
  CHECK(world.status(handing_on).state.run_number == 1);
  CHECK(world.ledger("until_go").pending == 4);
  check_goes_on(world);

  flip(world, record);  // as from a backup
  world.crash();
  world.settle();
  CHECK(world.status(handing_on).state.run_number == 3);
  CHECK(world.status(handing_on).state.live());
  CHECK(world.ledger("until_go").pending == 2);
}

TEST_CASE("P10: what a held turn was given is given to the run when the damage is repaired") {
  const InstanceName name{"of_all_sorts", "victim"};
  const auto registration = [](Registry& registry) {
    damage_registration(registry);
    registry.orchestrator("of_all_sorts", [](Context& ctx, const Text& input) {
      if (input == "refuse") return Text("took nothing");
      if (input == "timer first") ctx.create_timer(1h).wait();
      if (input == "activity") return ctx.call_activity<Text>("do", input);
      auto beside = ctx.schedule_activity<Text>("do", input);
      return ctx.wait_for_event<Text>("go").value;
    });
  };
  Lines lines;
  auto options = lines.options();
  options.retention = 24h;  // the audit wants to see the whole log
  World world(registration, options);
  const auto damage_unread = [&](const Text& input) {
    world.start(name, input);
    const auto record = world.event_with_start(name, "", "x", "1").value.position.lsn;
    move_on(world);
    flip(world, record);
    return record;
  };
  const auto is_held = [&](Lsn record) {
    CHECK(lines.tell("'of_all_sorts' is held", number_of(record)));
    CHECK(world.status(name).state.live());
    check_goes_on(world);
  };
  const auto repaired = [&](Lsn record) {
    flip(world, record);
    world.crash();
    world.settle();
    CHECK(!world.engine().stats().failed);
    CHECK(world.status(name).state.run_number == 2);
    CHECK(LogAudit(world.records()).violations == std::vector<Text>{});
  };

  SUBCASE("an event behind a timer that was due before it") {
    const auto record = damage_unread("timer first");
    world.clock().advance(2h);
    const auto sent = world.event(name, "go", "a", {.dedup_id = "once"});
    CHECK(!sent.error);
    is_held(record);
    const auto again = world.event(name, "go", "a", {.dedup_id = "once"});
    CHECK(again.value.how == Acceptance::duplicate);
    CHECK(again.value.position == sent.value.position);
    world.crash();
    const auto after_crash = world.event(name, "go", "a", {.dedup_id = "once"});
    CHECK(after_crash.value.how == Acceptance::duplicate);
    CHECK(after_crash.value.position == sent.value.position);
    repaired(record);
    CHECK(world.ledger("of_all_sorts").accepted == 2);
    CHECK(world.ledger("of_all_sorts").consumed == 1);
  }
  SUBCASE("the result of an activity") {
    const auto record = damage_unread("activity");
    CHECK(world.run_activity());
    is_held(record);
    CHECK(world.runner().tasks.empty());
    repaired(record);
    const auto tasks = world.runner().tasks.size();
    CHECK(tasks == 1);  // of the successor: the result was not lost
  }
  SUBCASE("an event that an operator redrives") {
    world.event_with_start(name, "refuse", "go", "late");
    world.settle();
    const auto letter = world.dead_letters().at(0);
    world.start(name, "");
    const auto record = world.event_with_start(name, "", "x", "1").value.position.lsn;
    move_on(world);
    flip(world, record);
    world.redrive(letter.position);
    is_held(record);
    CHECK(world.ledger("of_all_sorts").pending == 2);
    flip(world, record);
    world.crash();
    world.settle();
    CHECK(world.ledger("of_all_sorts").consumed == 1);
    CHECK(LogAudit(world.records()).violations == std::vector<Text>{});
  }
  SUBCASE("an activity that waits is not started meanwhile") {
    world.runner().capacity_ = 0;
    const auto record = damage_unread("");
    world.event(name, "go", "a");
    is_held(record);
    world.runner().capacity_ = 10;
    check_goes_on(world);
    CHECK(world.runner().tasks.empty());
    repaired(record);
  }
}

TEST_CASE("P10: a start that is refused for a damaged event of the mailbox lets none expire") {
  Lines lines;
  World world(damage_registration, lines.options());
  world.event(victim, "e", "a");
  world.pass(30min);
  const auto record = world.event(victim, "e", "b").value.position.lsn;
  move_on(world);
  flip(world, record);
  world.clock().advance(31min);
  CHECK(world.start(victim, "").error.code == ErrorCode::corrupt);
  check_goes_on(world);
  flip(world, record);
  CHECK(!world.start(victim, "").error);
  CHECK(world.ledger("collect").expired == 1);
  CHECK(world.ledger("collect").consumed == 4);
}

TEST_CASE("P10: a start that cannot take over a damaged event of the mailbox is refused, and all others go on") {
  Lines lines;
  World world(damage_registration, lines.options());
  const auto record = world.event(victim, "e", "a").value.position.lsn;
  move_on(world);
  world.close();
  flip(world, record);
  world.crash();
  for (int i = 0; i < 2; ++i) {
    const auto refused = world.start(victim, "");
    CHECK(refused.error.code == ErrorCode::corrupt);
    CHECK(refused.error.message.find(number_of(record)) != Text::npos);
  }
  CHECK(lines.tell("a call is refused", number_of(record)));
  CHECK(!world.status(victim).state.live());
  check_goes_on(world);

  flip(world, record);
  CHECK(!world.start(victim, "").error);
  world.event(victim, "e", "b");
  world.event(victim, "e", "c");
  CHECK(world.result(victim) == "abc");
}

TEST_CASE("P10: a dead letter whose event is damaged cannot be redriven, stays dead, and all others go on") {
  const InstanceName ignoring{"ignore", "victim"};
  Lines lines;
  auto options = lines.options();
  options.carries_before_dead = 1;
  World world(damage_registration, options);
  world.event_with_start(ignoring, "", "e", "a");
  world.run_to_rest();
  const auto letter = world.dead_letters().at(0);
  move_on(world);
  flip(world, letter.source.lsn);
  CHECK_THROWS_AS(world.redrive(letter.position), Corrupt);
  CHECK(lines.tell("a call is refused", number_of(letter.source.lsn)));
  CHECK(world.dead_letters().at(0).state == DeadLetterState::dead);
  check_goes_on(world);

  flip(world, letter.source.lsn);
  world.redrive(letter.position);
  CHECK(world.dead_letters().at(0).state == DeadLetterState::redriven);
  CHECK(world.ledger("ignore").pending == 1);
}

TEST_CASE("P10: a result that is damaged is told to who asks for it, and all others go on") {
  Lines lines;
  World world(damage_registration, lines.options());
  world.start(caller, "x");
  world.run_to_rest();
  const auto record = world.status(caller).state.end_record;
  move_on(world);
  flip(world, record);
  CHECK_THROWS_AS(world.status(caller), Corrupt);
  CHECK(lines.tell("a call is refused", number_of(record)));
  check_goes_on(world);
  flip(world, record);
  CHECK(world.result(caller) == "did x");
}

TEST_CASE("P10, S28: retention leaves a damaged record where verify names it, and takes what is around it") {
  Lines lines;
  World world(damage_registration, lines.options());
  world.start(caller, "x");
  world.run_to_rest();
  const auto record = world.status(caller).state.end_record;
  world.start({"call", "sound"}, "y");
  world.run_to_rest();
  move_on(world);
  flip(world, record);
  outlive_retention(world);
  const auto snapshot = world.disk().snapshot();
  CHECK(!snapshot->instance(instance_id({"call", "sound"})));
  const auto report = verify(*snapshot);
  CHECK(report.issue_count == 1);
  CHECK(report.first_damage() == record);
  CHECK(!report.purged.empty());
  check_goes_on(world);
}

TEST_CASE("S6: two names of one id are told apart: the call is refused, and changes nothing") {
  World world(damage_registration);
  const InstanceName other{"collect", "other"};
  world.start(victim, "");
  auto state = world.status(victim).state;
  state.name = other;  // as if the two collided
  auto disk = MemoryDisk::create(5);
  Batch batch;
  batch.records = world.records();
  batch.instances = {state};
  batch.fold_from = batch.records.back().lsn + 1;
  disk->open()->commit(batch);
  world.crash_to(disk);
  const auto refused = world.event(victim, "e", "a");
  CHECK(refused.error.code == ErrorCode::invalid_argument);
  CHECK(refused.error.message.find("belongs to another name") != Text::npos);
  CHECK(world.start(victim, "").error.code == ErrorCode::invalid_argument);
  CHECK(world.ledger("collect").accepted == 0);
  CHECK(!world.engine().stats().failed);
}
