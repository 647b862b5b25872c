// Damaged rows under a running engine, and a log that is damaged as a whole (P10).
#include "tests/engine/damage.hpp"
#include "tests/support/log_audit.hpp"

#include <bobbin/fields.hpp>
#include <bobbin/verify.hpp>

using namespace bobbin;
using namespace bobbin::testing;
using namespace std::chrono_literals;

namespace {

using Text = std::string;

struct Price {
  Text name;
  std::int64_t cents = 0;
};

void flip(World& world, const MemoryDisk::Row& row) { world.disk().damage_row(row, 0, 4); }

ActivityOutcome failure() { return {nullptr, {ErrorCode::application, "Broken", "gone", false}}; }

DeadLetter dead_activity(World& world, const Text& key) {
  world.start({"call_or_dead", key}, "x");
  world.end_activity(failure());
  return world.dead_letters().back();
}

}  // namespace

template <>
struct bobbin::Fields<Price> {
  static constexpr auto name = "test.Price";
  static constexpr auto fields = std::tuple(field<1>("name", &Price::name), field<2>("cents", &Price::cents));
};

TEST_CASE("P10: a dead letter whose row is damaged is refused to who acts on it, and all others go on") {
  Lines lines;
  World world(damage_registration, lines.options());
  const auto victim = dead_activity(world, "victim");
  const auto sound = dead_activity(world, "sound");
  move_on(world);
  flip(world, victim.position);
  for (int i = 0; i < 2; ++i) {
    CHECK_THROWS_AS(world.redrive(victim.position), Corrupt);
    CHECK_THROWS_AS(world.discard(victim.position), Corrupt);
  }
  CHECK(lines.count("a call is refused", "dead letter " + to_string(victim.position)) == 1);
  CHECK(world.engine().stats().damage_met == 4);
  world.redrive(sound.position);
  world.run_to_rest();
  CHECK(world.dead_letters(victim.position).at(0).state == DeadLetterState::redriven);
  check_goes_on(world);

  flip(world, victim.position);
  world.redrive(victim.position);
  world.run_to_rest();
  CHECK(world.dead_letters().at(0).state == DeadLetterState::redriven);
}

TEST_CASE("P10: a redrive whose letter's row is damaged is not taken up again at an open, all others are") {
  Lines lines;
  World world(damage_registration, lines.options());
  const auto before = dead_activity(world, "before");
  const auto victim = dead_activity(world, "victim");
  const auto behind = dead_activity(world, "behind");
  for (const auto& letter : {before, victim, behind}) world.redrive(letter.position);
  move_on(world);
  world.close();
  flip(world, victim.position);
  world.crash();
  world.settle();
  CHECK(lines.tell("perhaps a redrive is not taken up again", "dead letter " + to_string(victim.position)));
  CHECK(world.runner().tasks.size() == 2);
  world.run_to_rest();
  CHECK(world.dead_letters(victim.position).at(0).state == DeadLetterState::redriven);
  check_goes_on(world);

  world.close();
  flip(world, victim.position);
  world.crash();
  world.run_to_rest();
  CHECK(world.ledger("call_or_dead").failed_activities == 0);
}

TEST_CASE("P10: a redrive whose letter's row is damaged meanwhile ends without a record, and is repeated") {
  Lines lines;
  World world(damage_registration, lines.options());
  const auto victim = dead_activity(world, "victim");
  world.redrive(victim.position);
  move_on(world);
  flip(world, victim.position);
  world.run_to_rest();
  CHECK(lines.tell("the end of a redrive is not recorded", "dead letter " + to_string(victim.position)));
  check_goes_on(world);

  flip(world, victim.position);
  CHECK(world.dead_letters().at(0).state == DeadLetterState::redriving);
  world.crash();
  world.run_to_rest();
  CHECK(world.dead_letters().at(0).state == DeadLetterState::redriven);
}

TEST_CASE("P10: a timer of an instance whose row is damaged does not fire, and all others go on") {
  const InstanceName victim{"in_an_hour", "victim"};
  const InstanceName sound{"in_an_hour", "sound"};
  const auto id = instance_id(victim);
  Lines lines;
  World world(damage_registration, lines.options());
  world.start(victim, "a");
  world.start(sound, "b");
  move_on(world);
  world.close();
  MemoryDisk::Row row = id;
  Text consequence;
  SUBCASE("its row") { consequence = "a timer does not fire"; }
  SUBCASE("the entry of its due time") {
    consequence = "perhaps a timer does not fire";
    for (const auto& entry : world.disk().snapshot()->due({}, 1'000))
      if (entry.id == id) row = entry;
    REQUIRE(std::holds_alternative<DueEntry>(row));
  }
  flip(world, row);
  world.crash();
  world.pass(2h);
  CHECK(world.result(sound) == "b");
  CHECK(lines.count(consequence, to_hex(id)) == 1);
  if (std::holds_alternative<InstanceId>(row)) {
    CHECK_THROWS_AS(world.status(victim), Corrupt);
    CHECK(world.event(victim, "e", "x").error.code == ErrorCode::corrupt);
    CHECK(world.terminate(victim).error.code == ErrorCode::corrupt);
  } else {
    CHECK(world.status(victim).state.live());
  }
  check_goes_on(world);

  world.close();
  flip(world, row);  // as from a backup
  world.crash();
  world.pass(1s);
  CHECK(world.result(victim) == "a");
}

TEST_CASE("P10: the outcome of an activity of an instance whose row is damaged is not taken, and all others go on") {
  const InstanceName victim{"call", "victim"};
  const auto id = instance_id(victim);
  Lines lines;
  auto options = lines.options();
  options.resident_instances = 1;
  World world(damage_registration, options);
  world.start(victim, "x");
  move_on(world);
  flip(world, id);
  CHECK(world.run_activity());
  CHECK(lines.tell("the outcome of an activity is not taken", to_hex(id)));
  CHECK(world.engine().stats().activities_running == 0);
  CHECK(world.engine().stats().late_inputs == 0);
  check_goes_on(world);

  world.close();
  flip(world, id);
  world.crash();
  world.run_to_rest();
  CHECK(world.result(victim) == "did x");
}

TEST_CASE("P10, S13: a damaged chunk of dedup ids refuses only those that may stand in it") {
  constexpr int count = 200;
  Lines lines;
  auto options = lines.options();
  options.retention = 24h;
  World world(damage_registration, options);
  const auto send = [&world](const Text& id) { return world.event({"collect", id}, "e", "x", {.dedup_id = id}); };
  const auto send_all = [&send](const Text& prefix) {
    std::size_t refused = 0, repeated = 0;
    for (int i = 0; i < count; ++i) {
      const auto answer = send(prefix + std::to_string(i));
      refused += answer.error.code == ErrorCode::corrupt;
      repeated += answer.value.how == Acceptance::duplicate;
    }
    return std::pair(refused, repeated);
  };
  CHECK(send_all("old") == std::pair<std::size_t, std::size_t>(0, 0));
  world.pass(10min);
  send("later");
  move_on(world);
  const auto runs = world.disk().snapshot()->dedup_runs();
  REQUIRE(runs.size() == 1);
  REQUIRE(runs[0].entries == count);
  world.close();
  flip(world, runs[0]);
  world.crash();
  world.settle();
  CHECK(lines.count("each new dedup id is looked up", "dedup run") == 1);
  const auto [maybe_old, old] = send_all("old");
  CHECK(maybe_old == DedupChunk::entries_together);
  CHECK(old == count - DedupChunk::entries_together);
  const auto [refused, repeated] = send_all("new");
  CHECK(refused > 0);
  CHECK(refused < count / 2);
  CHECK(repeated == 0);
  check_goes_on(world);

  flip(world, runs[0]);
  CHECK(send_all("old") == std::pair(std::size_t{0}, std::size_t{count}));
  CHECK(send_all("new") == std::pair(std::size_t{0}, count - refused));
}

TEST_CASE("P10, S13: dedup ids of before an open are read behind a damaged run, too") {
  Lines lines;
  auto options = lines.options();
  options.retention = 24h;
  World world(damage_registration, options);
  const auto send = [&world](const Text& id) { return world.event({"collect", id}, "e", "x", {.dedup_id = id}); };
  for (int run = 0; run < 6; ++run) {
    for (int i = 0; i < 50; ++i) send(std::to_string(run) + "." + std::to_string(i));
    world.pass(8min);
  }
  send("later");
  move_on(world);
  const auto runs = world.disk().snapshot()->dedup_runs();
  REQUIRE(runs.size() >= 5);
  world.close();
  flip(world, runs.back());  // the newest is read first
  world.crash();
  world.settle();
  const auto before = world.snapshots();
  constexpr int count = 100;
  for (int i = 0; i < count; ++i) send("new " + std::to_string(i));
  CHECK(world.snapshots() - before < 3 * count);  // one is for the instance's row
  CHECK(send("0.0").value.how == Acceptance::duplicate);
}

TEST_CASE("P10: a row that is damaged while its instance is in memory is written anew, which is told") {
  const InstanceName victim{"twice", "victim"};
  const auto id = instance_id(victim);
  Lines lines;
  auto options = lines.options();
  options.resident_instances = 1'000;  // also where the suite runs with one
  const auto registration = [](Registry& registry) {
    damage_registration(registry);
    registry.orchestrator("twice", [](Context& ctx, const Text& input) {
      ctx.create_timer(1h).wait();
      ctx.create_timer(10h).wait();
      return input;
    });
  };
  World world(registration, options);
  world.start(victim, "a");
  move_on(world);
  const auto written = world.disk().snapshot()->instance(id)->lsn;
  flip(world, id);
  CHECK_THROWS_AS(world.disk().snapshot()->instance(id), Corrupt);
  world.pass(2h);
  move_on(world);
  CHECK(world.disk().snapshot()->instance(id)->lsn > written);
  CHECK(lines.count("a row is written anew", to_hex(id)) == 1);
  CHECK(world.engine().stats().damage_met == 1);
  check_goes_on(world);
  world.crash();
  CHECK(verify(*world.disk().snapshot()).issues.empty());
  world.pass(10h);
  CHECK(world.result(victim) == "a");
}

TEST_CASE("P10, S12: an event whose dead letter's row is damaged dies again, and the letter is written anew") {
  const InstanceName victim{"timed", "victim"};
  Lines lines;
  auto options = lines.options();
  options.carries_before_dead = 1;
  options.retention = 24h;
  World world(
      [](Registry& registry) {
        damage_registration(registry);
        registry.orchestrator("timed", [](Context& ctx, const Text& input) {
          if (input == "wait") ctx.create_timer(1h).wait();
          return input;
        });
      },
      options);
  world.event_with_start(victim, "", "x", "1");
  world.settle();
  const auto letter = world.dead_letters().at(0).position;
  world.start(victim, "wait");
  world.redrive(letter);
  move_on(world);
  flip(world, letter);
  SUBCASE("its run ends") { world.pass(2h); }
  SUBCASE("its run is terminated") { CHECK(!world.terminate(victim).error); }
  CHECK(lines.count("a dead letter is written anew", to_string(letter)) == 1);
  CHECK(world.dead_letters().at(0).state == DeadLetterState::dead);
  check_goes_on(world);
  world.crash();
  world.redrive(letter);
  CHECK(world.ledger("timed").pending == 1);
  CHECK(LogAudit(world.records()).violations == std::vector<Text>{});
}

TEST_CASE("P10, S28: an instance whose last record stays, as its dead letter is damaged, is not forgotten") {
  const InstanceName victim{"call_or_dead", "victim"};
  Lines lines;
  World world(damage_registration, lines.options());
  const auto letter = dead_activity(world, "victim").position;
  const auto discarded = world.discard(letter).position.lsn;
  move_on(world);
  flip(world, letter);
  outlive_retention(world);
  CHECK(world.disk().snapshot()->record(discarded));
  CHECK(world.disk().snapshot()->instance(instance_id(victim)));
  check_goes_on(world);
}

TEST_CASE("P10: a damaged schema is written anew with the next payload that it describes") {
  Lines lines;
  World world(
      [](Registry& registry) {
        damage_registration(registry);
        registry.orchestrator("price",
                              [](Context& ctx, const Text&) { return ctx.wait_for_event<Price>("e").value.name; });
      },
      lines.options());
  const auto send = [&world](const Text& key) {
    return world.called<Accepted>([&](Engine& engine, auto done) {
      engine.raise_event_with_start({"price", key}, Text(), "e", Price{key, 5}, {}, done);
    });
  };
  send("first");
  const auto schema = *encode(Price{})->schema;
  REQUIRE(world.disk().snapshot()->schema(schema.hash));
  world.close();
  flip(world, schema);
  world.crash();
  CHECK_THROWS_AS(world.disk().snapshot()->schema(schema.hash), Corrupt);
  send("second");
  CHECK(world.result({"price", "second"}) == "second");
  CHECK(world.disk().snapshot()->schema(schema.hash)->text == schema.text);
  CHECK(lines.count("a row is written anew", "schema") == 1);
  check_goes_on(world);
}

TEST_CASE("P10, S28: purging goes on beside a damaged entry of what was purged, which verify names") {
  Lines lines;
  World world(damage_registration, lines.options());
  const auto purge_one_more = [&world](const Text& key) {
    world.start({"ignore", key}, "");
    for (int i = 0; i < 12; ++i) {
      world.pass(10min);
      for (int j = 0; j < 200; ++j) world.start({"ignore", key + std::to_string(200 * i + j)}, "");
    }
    return !world.disk().snapshot()->instance(instance_id({"ignore", key}));
  };
  REQUIRE(purge_one_more("first"));
  const auto stretches = world.disk().snapshot()->purged_stretches();
  REQUIRE(!stretches.empty());
  for (const auto& stretch : stretches) flip(world, stretch);
  CHECK(purge_one_more("second"));
  check_goes_on(world);
  const auto report = verify(*world.disk().snapshot());
  CHECK(report.issue_count != 0);
  CHECK(report.issues[0].what.find("purged stretches") != Text::npos);

  for (const auto& stretch : stretches) flip(world, stretch);  // as from a backup
  CHECK(verify(*world.disk().snapshot()).issues.empty());
}

TEST_CASE("P10: an engine whose log cannot be read as a whole stops, and says so") {
  const InstanceName waiting{"in_an_hour", "waiting"};
  std::vector<ErrorInfo> failures;
  Lines lines;
  auto options = lines.options();
  options.on_failure = [&failures](const ErrorInfo& error) { failures.push_back(error); };
  World world(damage_registration, options);
  world.start(waiting, "");
  move_on(world);
  world.crash();
  world.settle();
  world.space().unreadable = true;
  SUBCASE("a read") { CHECK_THROWS_AS(world.status({"collect", "unknown"}), Error); }
  SUBCASE("a call") { CHECK(world.event({"collect", "unknown"}, "e", "x").error); }
  SUBCASE("a timer") { world.pass(2h); }
  CHECK(world.engine().stats().failed);
  REQUIRE(failures.size() == 1);
  CHECK(failures[0].message.find("a page is not there") != Text::npos);
  world.space().unreadable = false;
}
