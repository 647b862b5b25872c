// Riding out a full disk (S26), on a disk whose space the test gives and takes.
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

using namespace bobbin;
using namespace bobbin::testing;
using namespace std::chrono_literals;

namespace {

using Text = std::string;

constexpr std::uint64_t mebibyte = 1 << 20;

Text window(Context& ctx, const Text&) {
  auto closes = ctx.create_timer(2s);
  Text batch;
  while (auto event = ctx.wait_for_event<Text>("e", closes)) batch += event->value;
  return ctx.call_activity<Text>("deliver", batch);
}

void registration(Registry& registry) {
  registry.orchestrator("window", window);
  registry.activity("deliver", [](const ActivityContext&, const Text& value) { return value; });
}

InstanceName window_of(int number) { return {"window", std::to_string(number)}; }

struct Lines {
  std::vector<Text> all;
  EngineOptions options(EngineOptions given = {}) {
    given.log = [this](LogLevel, const Text& line) { all.push_back(line); };
    return given;
  }
  bool tell(const Text& part) const {
    return std::any_of(all.begin(), all.end(), [&part](const Text& line) { return line.find(part) != Text::npos; });
  }
};

// A world on a disk with so much free space.
void give(World& world, std::uint64_t free) {
  world.space().reserved = 0;
  world.space().free = free;
  world.crash();
}

void drain(World& world) {
  for (int i = 0; i < 10; ++i) {
    world.pass(1s);
    world.run_to_rest();
  }
}

}  // namespace

TEST_CASE("S26: a full disk refuses new work, lets accepted work end, and is ridden out without a call") {
  Lines lines;
  World world(registration, lines.options());
  give(world, 64 * mebibyte);
  world.event_with_start(window_of(1), "", "e", "a", {.dedup_id = "a"});
  world.event_with_start(window_of(2), "", "e", "x");
  world.event({"window", "nobody"}, "e", "kept");
  world.space().free = 0;
  world.event_with_start(window_of(1), "", "e", "b");  // after it the reserve is not whole
  CHECK(world.engine().stats().storage_full);
  CHECK(lines.tell("the disk is full: new work is refused"));

  CHECK(world.event_with_start(window_of(1), "", "e", "c", {.dedup_id = "c"}).error.code == ErrorCode::storage_full);
  CHECK(world.event(window_of(1), "e", "c").error.code == ErrorCode::storage_full);
  CHECK(world.event({"window", "nobody"}, "e", "c").error.code == ErrorCode::storage_full);
  CHECK(world.start(window_of(3), "").error.code == ErrorCode::storage_full);
  CHECK(world.start(window_of(1), "").error.code == ErrorCode::storage_full);
  CHECK(world.event_with_start(window_of(1), "", "e", "a", {.dedup_id = "a"}).value.how == Acceptance::duplicate);
  CHECK_THROWS_AS(world.status(window_of(3)), NotFound);
  CHECK(world.engine().stats().refused_storage_full == 5);
  CHECK(!world.terminate(window_of(2), {.discard_events = true}).error);

  drain(world);
  CHECK(world.result(window_of(1)) == "ab");
  CHECK(world.status(window_of(2)).state.status == RunStatus::terminated);
  CHECK(world.engine().stats().storage_full);
  CHECK(!lines.tell("room on the disk again"));

  world.space().free = 64 * mebibyte;
  world.pass(1s);
  CHECK(!world.engine().stats().storage_full);
  CHECK(lines.tell("room on the disk again"));
  CHECK(world.event_with_start(window_of(1), "", "e", "c", {.dedup_id = "c"}).value.how == Acceptance::started);
  drain(world);
  CHECK(world.result(window_of(1)) == "c");
  const auto ledger = world.ledger("window");
  CHECK(ledger.balanced());
  CHECK(ledger.accepted == 5);
  CHECK(ledger.consumed == 4);
  CHECK(ledger.pending == 1);
  CHECK(!world.engine().stats().failed);
}

TEST_CASE("S26: the blocking form throws StorageFull, and works again when there is room") {
  World world(registration);
  give(world, 64 * mebibyte);
  world.space().free = 0;
  world.event_with_start(window_of(1), "", "e", "a");
  CHECK_THROWS_AS(world.blocking([](Engine& engine) { return engine.raise_event(window_of(1), "e", Text("b")); }),
                  StorageFull);
  CHECK_THROWS_AS(world.blocking([](Engine& engine) { return engine.start(window_of(2), Text()); }), StorageFull);
  world.space().free = 64 * mebibyte;
  world.pass(1s);
  CHECK(world.blocking([](Engine& engine) { return engine.start(window_of(2), Text()); }).how == Acceptance::started);
}

TEST_CASE("S26: what is reserved is enough for all that is unfinished when the disk fills") {
  Lines lines;
  World world(registration, lines.options());
  give(world, 1'024 * mebibyte);
  constexpr int windows = 1'000;
  const Text event(4'000, 'e');
  for (int i = 0; i < windows; ++i)
    for (int copies = 0; copies < 3; ++copies) world.event_with_start(window_of(i), "", "e", event);
  // More than what is kept whatever is pending.
  const auto before = world.space().reserved;
  CHECK(before > windows * 3 * event.size());
  world.space().free = 0;
  drain(world);
  for (int i = 0; i < windows; ++i) CHECK(world.result(window_of(i)).size() == 3 * event.size());
  CHECK(before - world.space().reserved > windows * 3 * event.size());
  CHECK(!lines.tell("used up"));
}

TEST_CASE("S26: work that the reserve could not drain is refused, in the middle of a burst, too") {
  Lines lines;
  World world(registration, lines.options());
  give(world, 6 * mebibyte);
  const Text event(100'000, 'e');
  std::vector<World::Answer<Accepted>> answers(100);
  for (std::size_t i = 0; i < answers.size(); ++i)
    world.engine().raise_event_with_start(window_of(static_cast<int>(i)), Text(), "e", event, {},
                                          answers[i].callback());
  world.settle();
  std::size_t accepted = 0;
  for (const auto& answer : answers) {
    REQUIRE(answer.given());
    const auto code = answer.get().error.code;
    CHECK((code == ErrorCode::none || code == ErrorCode::storage_full));
    accepted += code == ErrorCode::none;
  }
  CHECK(accepted > 0);
  CHECK(accepted < answers.size());
  drain(world);
  CHECK(!lines.tell("used up"));
  for (std::size_t i = 0; i < answers.size(); ++i)
    if (!answers[i].get().error) CHECK(world.result(window_of(static_cast<int>(i))) == event);
  CHECK(world.ledger("window").consumed == accepted);
}

TEST_CASE("S26: while the disk has room nothing is refused, be it more than what is reserved ahead") {
  EngineOptions options;
  options.payload_bytes = 32 * mebibyte;
  options.inbox_bytes = 128 * mebibyte;
  World world(registration, options);
  give(world, 1'024 * mebibyte);
  std::vector<World::Answer<Accepted>> answers(100);
  for (auto& answer : answers)
    world.engine().raise_event_with_start(window_of(1), Text(), "e", Text(300'000, 'e'), {}, answer.callback());
  world.settle();
  for (const auto& answer : answers) CHECK(!answer.get().error);
  CHECK(!world.event_with_start(window_of(2), "", "e", Text(20 * mebibyte, 'e')).error);
  CHECK(world.engine().stats().refused == 0);
}

TEST_CASE("S26: when the reserve is used up after all, commits wait for room, and nothing is lost") {
  Lines lines;
  World world(registration, lines.options());
  give(world, 64 * mebibyte);
  world.event_with_start(window_of(1), "", "e", "a");
  world.space() = {};
  world.space().reserved = 0;
  World::Answer<Accepted> pending;
  world.engine().raise_event(window_of(1), "e", Text("b"), {}, pending.callback());
  world.settle();
  CHECK(!pending.given());
  CHECK(lines.tell("used up"));
  CHECK(world.event(window_of(1), "e", "c").error.code == ErrorCode::storage_full);
  world.pass(10s);
  CHECK(!pending.given());
  CHECK(!world.engine().stats().failed);

  world.space().free = 64 * mebibyte;
  world.pass(1s);
  REQUIRE(pending.given());
  CHECK(pending.get().value.how == Acceptance::appended);
  world.pass(1s);
  CHECK(!world.engine().stats().storage_full);
  drain(world);
  CHECK(world.result(window_of(1)) == "ab");
}

TEST_CASE("S26, S28: history goes while commits wait for room, and its rows") {
  EngineOptions options;
  options.retention = 1h;
  options.checkpoint_age_records = 5;
  World world(registration, options);
  give(world, 64 * mebibyte);
  constexpr int runs = 100;
  for (int i = 0; i < runs; ++i) world.start(window_of(i), "");
  drain(world);
  world.pass(50min);
  for (int i = 0; i < 20; ++i) world.event_with_start(window_of(runs + i), "", "e", "a");
  const auto records = world.records().size();
  REQUIRE(records > 2 * runs);
  world.space() = {};
  world.space().reserved = 0;
  World::Answer<Accepted> pending;
  world.engine().raise_event(window_of(runs), "e", Text("b"), {}, pending.callback());
  world.settle();
  world.pass(20min);
  CHECK(!pending.given());
  CHECK(world.records().size() < records / 2);
  SUBCASE("it never comes to write what waits") { give(world, 64 * mebibyte); }
  SUBCASE("there is room again") {
    world.space().free = 64 * mebibyte;
    world.pass(1s);
    CHECK(pending.given());
    world.pass(1min);
    world.crash();
  }
  for (int i = 0; i < runs; ++i) CHECK(!world.disk().snapshot()->instance(instance_id(window_of(i))));
  drain(world);
  for (int i = 0; i < 20; ++i)
    CHECK(world.result(window_of(runs + i)) == (i == 0 && pending.given() && !pending.get().error ? "ab" : "a"));
}

TEST_CASE("S26, S27: an engine that is closed while commits wait for room says what was not written") {
  World world(registration);
  give(world, 64 * mebibyte);
  world.event_with_start(window_of(1), "", "e", "a");
  world.space() = {};
  world.space().reserved = 0;
  World::Answer<Accepted> pending;
  world.engine().raise_event(window_of(1), "e", Text("b"), {.dedup_id = "b"}, pending.callback());
  world.settle();
  world.engine().close(Duration::zero());
  REQUIRE(pending.given());
  CHECK(pending.get().error.code == ErrorCode::storage_full);
  give(world, 64 * mebibyte);
  CHECK(world.event(window_of(1), "e", "b", {.dedup_id = "b"}).value.how == Acceptance::appended);
}

TEST_CASE("S26: a crash while the disk is full: what is reserved is still there, and all ends") {
  World world(registration);
  give(world, 64 * mebibyte);
  for (int i = 0; i < 50; ++i) world.event_with_start(window_of(i), "", "e", "a");
  world.space().free = 0;
  world.event_with_start(window_of(50), "", "e", "a");
  world.crash();
  CHECK(world.event(window_of(1), "e", "b").error.code == ErrorCode::storage_full);
  world.pass(1s);
  world.crash();
  drain(world);
  for (int i = 0; i < 50; ++i) CHECK(world.result(window_of(i)) == "a");
  world.space().free = 64 * mebibyte;
  world.pass(1s);
  CHECK(!world.event_with_start(window_of(1), "", "e", "b").error);
}

TEST_CASE("S26: an idle engine asks for room now and then while the disk is full, and not at all while it is not") {
  World world(registration);
  give(world, 64 * mebibyte);
  world.settle();
  const auto asked = world.space().asked;
  world.pass(60s);
  CHECK(world.space().asked == asked);
  world.space().free = 0;
  world.start(window_of(1), "");
  drain(world);
  const auto full = world.space().asked;
  world.pass(60s);
  CHECK(world.space().asked > full + 100);
  CHECK(world.space().asked < full + 1'000);
}

TEST_CASE("S26, P10: an I/O error while space is reserved stops the engine; what was answered before it is durable") {
  std::vector<ErrorInfo> failures;
  EngineOptions options;
  options.on_failure = [&failures](const ErrorInfo& error) { failures.push_back(error); };
  World world(registration, options);
  give(world, 64 * mebibyte);
  failures.clear();  // of the crash
  world.event_with_start(window_of(1), "", "e", "a");
  world.space().broken = true;
  Text batch = "a";
  for (int i = 0; i < 1'000 && failures.empty(); ++i)
    if (!world.event(window_of(1), "e", "b").error) batch += "b";
  REQUIRE(failures.size() == 1);
  CHECK(failures[0].code == ErrorCode::outcome_unknown);
  CAPTURE(failures[0].message);
  CHECK(failures[0].message.find("the disk is broken") != Text::npos);
  CHECK_THROWS_AS(world.event(window_of(1), "e", "c"), Closed);
  world.space().broken = false;
  world.crash();
  drain(world);
  CHECK(world.result(window_of(1)) == batch);
}
