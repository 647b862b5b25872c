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
