// What stands in the log behind good checksums, and no engine wrote it (P10): named, and nothing else suffers.
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace bobbin;
using namespace bobbin::testing;

namespace {

using Text = std::string;

void waiting(Registry& registry) {
  registry.orchestrator("wait", [](Context& ctx, const Text&) { return ctx.wait_for_event<Text>("e").value; });
}

void commit(World& world, const Batch& batch) {
  world.close();
  world.disk().open()->commit(batch);
}

}  // namespace

TEST_CASE("P10: a run whose history does not begin with a start is held, others go on") {
  EngineOptions options;
  std::vector<Text> log;
  options.log = [&log](LogLevel, const Text& line) { log.push_back(line); };
  World world(waiting, options);
  const InstanceName damaged{"wait", "damaged"}, other{"wait", "other"};
  world.start(damaged, "");
  world.start(other, "");
  auto state = world.status(damaged).state;
  Record record;
  record.lsn = world.records().back().lsn + 1;
  record.instance = state.id;
  record.run = state.run;
  record.run_sequence = state.run_sequence + 1;
  record.log_time = world.records().back().log_time;
  record.elapsed = world.records().back().elapsed;
  SUBCASE("but with a turn without inputs") { record.body = TurnBody{}; }
  SUBCASE("but with an event") { record.body = AcceptedBody{{EventInput{}}, {}}; }
  state.last_record = state.lsn = record.lsn;
  Batch batch;
  batch.records.push_back(record);
  batch.instances.push_back(state);
  commit(world, batch);
  world.crash();
  CHECK(world.event(damaged, "e", "queues").value.how == Acceptance::appended);
  CHECK(world.status(damaged).state.live());
  world.event(other, "e", "taken");
  CHECK(world.result(other) == "taken");
  bool told = false;
  for (const auto& line : log) told |= line.find("is held") != Text::npos && line.find("a start") != Text::npos;
  CHECK(told);
}

TEST_CASE("P10: a dead letter of an instance that nobody can have named is named, and others go on") {
  EngineOptions options;
  std::vector<Text> log;
  options.log = [&log](LogLevel, const Text& line) { log.push_back(line); };
  World world(waiting, options);
  const InstanceName other{"wait", "other"};
  world.start(other, "");
  Batch batch;
  batch.dead_letters.emplace_back();
  auto& letter = batch.dead_letters.back();
  letter.lsn = world.records().back().lsn;
  letter.position = {1, 7};
  letter.name = {"wait", ""};
  SUBCASE("dead") { letter.state = DeadLetterState::dead; }
  SUBCASE("being redriven") { letter.state = DeadLetterState::redriving; }
  commit(world, batch);
  world.crash();
  world.settle();
  REQUIRE(log.size() == 1);
  CHECK(log[0].find("dead letter 1.7") != Text::npos);
  CHECK(log[0].find("a key has 0 bytes") != Text::npos);
  CHECK_THROWS_AS(world.redrive(batch.dead_letters[0].position), Corrupt);
  CHECK_THROWS_AS(world.dead_letters(), Corrupt);
  world.event(other, "e", "taken");
  CHECK(world.result(other) == "taken");
}
