// Checkpoints keep pace with the log: what an open folds is bounded (P9).
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

#include <map>
#include <utility>
#include <vector>

using namespace bobbin;
using namespace bobbin::testing;
using namespace std::chrono_literals;

namespace {

using Text = std::string;

void waiting_for_ever(Registry& registry) {
  registry.orchestrator("it", [](Context& ctx, const Text&) {
    for (;;) ctx.wait_for_event<Text>("e");
    return Text();
  });
}

// The longest tail that an open at any of the log's commits would fold, in records.
class LongestTail {
 public:
  void look(World& world) {
    const auto info = world.disk().snapshot()->info();
    longest_ = std::max(longest_, info.last_lsn + 1 - info.fold_from);
  }
  Lsn records() const { return longest_; }

 private:
  Lsn longest_ = 0;
};

void raise(World& world, int number, const Text& value, LongestTail& tail) {
  const auto key = std::to_string(number);
  REQUIRE(!world.event_with_start({"it", key}, "", "e", value, {.dedup_id = key}).error);
  tail.look(world);
}

// Of 400 events for so many keys in turn, with rows that leave at age 16.
Lsn longest_tail(int keys) {
  EngineOptions options;
  options.checkpoint_age_records = 16;
  options.tail_records_max = 1u << 20;
  World world(waiting_for_ever, options);
  LongestTail tail;
  for (int i = 0; i < 400; ++i) {
    REQUIRE(!world.event_with_start({"it", std::to_string(i % keys)}, "", "e", "value").error);
    tail.look(world);
  }
  return tail.records();
}

}  // namespace

TEST_CASE("P9: rows are checkpointed as they grow old") {
  const auto records = longest_tail(40);
  CHECK(records >= 16);
  CHECK(records <= 2 * 16);
}

TEST_CASE("P9: rows may be older while few are dirty") {
  const auto records = longest_tail(2);
  CHECK(records >= 3 * 16);
  CHECK(records <= 4 * 16);
}

TEST_CASE("rows leave in stretches, each in the order of the table") {
  EngineOptions options;
  options.checkpoint_age_records = 300;  // half of that are a stretch, which is more than one commit's share
  World world(waiting_for_ever, options);
  std::map<InstanceId, Lsn> stored;
  std::optional<InstanceId> before;  // the last row of the commit before, if it wrote any
  int continued = 0;
  for (int i = 0; i < 2'000; ++i) {
    REQUIRE(!world.event_with_start({"it", std::to_string(i % 400)}, "", "e", "value").error);
    std::vector<InstanceId> written;
    for (const auto& row : world.disk().snapshot()->instances(std::nullopt, 1'000))
      if (std::exchange(stored[row.id], row.lsn) != row.lsn) written.push_back(row.id);
    if (before && !written.empty()) {
      CHECK(*before < written.front());
      ++continued;
    }
    before.reset();
    if (!written.empty()) before = written.back();
  }
  CHECK(continued >= 10);
}

TEST_CASE("a crash while a stretch leaves loses nothing") {
  EngineOptions options;
  options.checkpoint_age_records = 300;
  World world(waiting_for_ever, options);
  std::map<std::string, Lsn> accepted;  // the newest of each key
  int crashes = 0;
  Lsn written = 0;  // sum of what rows stand for: changes as any is written
  for (int i = 0; i < 1'500; ++i) {
    const auto key = std::to_string(i % 400);
    const auto answer = world.event_with_start({"it", key}, "", "e", "value");
    REQUIRE(!answer.error);
    accepted[key] = answer.value.position.lsn;
    Lsn sum = 0;
    for (const auto& row : world.disk().snapshot()->instances(std::nullopt, 1'000)) sum += row.lsn;
    if (std::exchange(written, sum) == sum) continue;
    world.crash();
    ++crashes;
    for (const auto& row : world.list({.after = {}, .limit = 1'000})) REQUIRE(row.lsn >= accepted.at(row.name.key));
  }
  CHECK(crashes >= 10);
  CHECK(world.ledger("it").accepted == 1'500);
}

TEST_CASE("P9: records with large payloads leave the tail as soon as many small ones") {
  EngineOptions options;
  options.checkpoint_age_records = 1'024;  // as old as 16 records of 64 KiB
  options.tail_records_max = 4'096;        // dedup ids: at most 16 such records
  World world(waiting_for_ever, options);
  LongestTail tail;
  const Text value(64u << 10, 'x');
  for (int i = 0; i < 200; ++i) raise(world, i, value, tail);
  CHECK(tail.records() >= 16);
  CHECK(tail.records() <= 2 * 16 + 4);
}

TEST_CASE("P9: the tail's bound counts more than that few rows are dirty") {
  EngineOptions options;
  options.checkpoint_age_records = 60;
  options.tail_records_max = 256;
  World world(waiting_for_ever, options);
  LongestTail tail;
  for (int i = 0; i < 1'000; ++i) {
    REQUIRE(!world.event_with_start({"it", "one"}, "", "e", "value").error);
    tail.look(world);
  }
  CHECK(tail.records() >= 60);
  CHECK(tail.records() <= 70);
}

TEST_CASE("P9: rows grow old as usual once many are dirty") {
  EngineOptions options;
  options.checkpoint_age_records = 32;
  World world(waiting_for_ever, options);
  LongestTail tail;
  for (int i = 0; i < 40; ++i) REQUIRE(!world.event_with_start({"it", "one"}, "", "e", "value").error);
  for (int i = 0; i < 400; ++i) {
    REQUIRE(!world.event_with_start({"it", std::to_string(i)}, "", "e", "value").error);
    if (i >= 40) tail.look(world);
  }
  CHECK(tail.records() >= 32);
  CHECK(tail.records() <= 2 * 32);
}

TEST_CASE("P9: rows that are young still leave when the tail comes near its bound") {
  EngineOptions options;
  options.checkpoint_age_records = 1u << 20;
  options.tail_records_max = 256;
  World world(waiting_for_ever, options);
  LongestTail tail;
  for (int i = 0; i < 2'000; ++i) raise(world, i, "value", tail);
  CHECK(tail.records() >= 120);
  CHECK(tail.records() <= 256);
}

TEST_CASE("P9: what is raised at once does not outgrow the tail's bound") {
  EngineOptions options;
  options.checkpoint_age_records = 1u << 20;
  options.tail_records_max = 256;
  World world(waiting_for_ever, options);
  LongestTail tail;
  std::size_t accepted = 0;
  for (int i = 0; i < 5'000; ++i)
    world.engine().raise_event_with_start({"it", std::to_string(i)}, Text(), "e", Text("value"),
                                          {.dedup_id = std::to_string(i)},
                                          [&](const Result<Accepted>& answer) { accepted += answer ? 1 : 0; });
  while (world.executor().run_one()) tail.look(world);
  CHECK(accepted == 5'000);
  CHECK(tail.records() <= 2 * 256);  // beside one step's records and a batch on its way
  world.crash();
  CHECK(world.ledger("it").accepted == 5'000);
}
