// Damaged records under a running engine: named, never replayed, and nobody else's loss (P10).
#include "tests/support/world.hpp"

#include <bobbin/verify.hpp>

#include <doctest/doctest.h>

#include <algorithm>

using namespace bobbin;
using namespace bobbin::testing;
using namespace std::chrono_literals;

namespace {

using Text = std::string;

const InstanceName victim{"collect", "victim"};
const InstanceName caller{"call", "victim"};

void registration(Registry& registry) {
  registry.orchestrator("collect", [](Context& ctx, const Text&) {
    Text all;
    while (all.size() < 3) all += ctx.wait_for_event<Text>("e").value;
    return all;
  });
  registry.orchestrator("until_go", [](Context& ctx, const Text&) { return ctx.wait_for_event<Text>("go").value; });
  registry.orchestrator("ignore", [](Context&, const Text& input) { return input; });
  registry.orchestrator("call", [](Context& ctx, const Text& input) { return ctx.call_activity<Text>("do", input); });
  registry.activity("do", [](const ActivityContext&, const Text& value) { return "did " + value; });
}

class Lines {
 public:
  EngineOptions options() {
    EngineOptions options;
    options.checkpoint_age_records = 16;
    options.retention = 1h;
    options.log = [this](LogLevel level, const Text& line) {
      if (level == LogLevel::error) errors_.push_back(line);
    };
    return options;
  }
  bool tell(const Text& one, const Text& other) const {
    return std::any_of(errors_.begin(), errors_.end(), [&](const Text& line) {
      return line.find(one) != Text::npos && line.find(other) != Text::npos;
    });
  }
  std::size_t count() const { return errors_.size(); }

 private:
  std::vector<Text> errors_;
};

Text number_of(Lsn lsn) { return "record " + std::to_string(lsn); }

// So many records that an open looks at none from before them.
void move_on(World& world) {
  static int number = 0;
  for (int i = 0; i < 200; ++i) world.start({"collect", "other " + std::to_string(number++)}, "");
}

void flip(World& world, Lsn record) { world.disk().damage_record(record, 60, 4); }

void check_goes_on(World& world) {
  CHECK(!world.event_with_start({"collect", "sound"}, "", "e", "x").error);
  CHECK(!world.event({"collect", "sound"}, "e", "y").error);
  CHECK(!world.event({"collect", "sound"}, "e", "z").error);
  CHECK(world.result({"collect", "sound"}) == "xyz");
  CHECK(!world.engine().stats().failed);
}

}  // namespace

TEST_CASE("P10: a run whose history is damaged is held and named, its events queue, and all others go on") {
  Lines lines;
  World world(registration, lines.options());
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
  World world(registration, lines.options());
  world.start(caller, "x");
  const auto record = world.status(caller).state.activities.at(0).decision.lsn;
  move_on(world);
  world.close();
  flip(world, record);
  world.crash();
  world.settle();
  CHECK(world.runner().tasks.empty());
  CHECK(lines.tell("activity 'do' of 'call' is not started", number_of(record)));
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
  World world(registration, lines.options());
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

TEST_CASE("P10: a start that cannot take over a damaged event of the mailbox is refused, and all others go on") {
  Lines lines;
  World world(registration, lines.options());
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
  World world(registration, options);
  world.event_with_start(ignoring, "", "e", "a");
  world.run_to_rest();
  const auto letter = world.dead_letters().at(0);
  move_on(world);
  flip(world, letter.source.lsn);
  CHECK_THROWS_AS(world.redrive(letter.position), Corrupt);
  CHECK(lines.tell("a call is refused", number_of(letter.source.lsn)));
  CHECK(world.dead_letters().at(0).state == DeadLetterState::dead);
  check_goes_on(world);
}

TEST_CASE("P10: a result that is damaged is told to who asks for it, and all others go on") {
  Lines lines;
  World world(registration, lines.options());
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
  World world(registration, lines.options());
  world.start(caller, "x");
  world.run_to_rest();
  const auto record = world.status(caller).state.end_record;
  world.start({"call", "sound"}, "y");
  world.run_to_rest();
  move_on(world);
  flip(world, record);
  for (int i = 0; i < 12; ++i) {
    world.pass(10min);
    move_on(world);
  }
  const auto snapshot = world.disk().snapshot();
  CHECK(!snapshot->instance(instance_id({"call", "sound"})));
  const auto report = verify(*snapshot);
  CHECK(report.issue_count == 1);
  CHECK(report.first_damage() == record);
  CHECK(!report.purged.empty());
  check_goes_on(world);
}

TEST_CASE("S6: two names of one id are told apart: the call is refused, and changes nothing") {
  World world(registration);
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
