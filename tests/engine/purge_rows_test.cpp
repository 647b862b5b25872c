// The rows of instances whose history has been purged are deleted, a few in each commit (S28).
#include "tests/engine/purged.hpp"

#include <bobbin/verify.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <utility>

using namespace bobbin;
using namespace bobbin::testing;
using namespace std::chrono_literals;

namespace {

std::size_t rows_of(MemoryDisk& disk) { return disk.snapshot()->instances({}, 100'000).size(); }

// Runs of one record each, whose history has just been purged by an idle engine, and most of whose rows are still
// there.
World world_that_purges(int runs, std::uint64_t checkpoint_age_records = 5, decltype(EngineOptions::log) log = {}) {
  auto settings = purging_options();
  settings.checkpoint_age_records = checkpoint_age_records;
  settings.log = std::move(log);
  World world(register_purged, settings);
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

TEST_CASE("S28: the rows of what has been purged go, whatever is killed before they have") {
  auto world = world_that_purges(3'000);
  REQUIRE(rows_of(world.disk()) > 2'500);
  SUBCASE("once") { world.crash(); }
  SUBCASE("again and again") {
    for (int i = 0; i < 4; ++i) {
      world.crash();
      const auto before = rows_of(world.disk());
      world.pass(50ms);
      CHECK(rows_of(world.disk()) < before);
      CHECK(rows_of(world.disk()) > 300);
    }
  }
  SUBCASE("with instances that are used again") {
    for (int i = 0; i < 100; ++i) world.start({"refuse", std::to_string(i)}, "take");
    world.crash();
    for (int i = 100; i < 200; ++i) world.start({"refuse", std::to_string(i)}, "take");
  }
  world.pass(2h);  // nobody calls
  std::size_t of_none = 0;
  for (const auto& row : world.disk().snapshot()->instances({}, 100'000)) of_none += !row.live();
  CHECK(of_none == 0);
  CHECK(world.disk().snapshot()->leftovers().empty());
  check_sound(world);
}

TEST_CASE("P10, S28: where the list of rows to go is damaged, the rows stay, and the engine says so and goes on") {
  std::vector<std::string> errors;
  auto world = world_that_purges(2'000, 5, [&](LogLevel level, const std::string& line) {
    if (level == LogLevel::error) errors.push_back(line);
  });
  REQUIRE(rows_of(world.disk()) > 1'500);
  world.disk().damage_row(Committed::Ended{}, 100, 1);
  const auto report = verify(*world.disk().snapshot());
  CHECK(report.issue_count == 1);
  CHECK(report.issues.at(0).what.find("rows that a purge has left") != std::string::npos);
  world.crash();
  world.settle();
  REQUIRE(!errors.empty());
  CHECK(errors.back().find("rows of purged instances may stay") != std::string::npos);
  world.event_with_start({"refuse", "later"}, "take", "e", "a");
  move_on(world);
  let_pass(world, 3h);
  CHECK(!has_row(world, {"refuse", "later"}));
  CHECK(rows_of(world.disk()) > 1'500);
  check_sound(world);  // the damaged list has gone with those of later purges
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
  World world(register_purged, purging_options());
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
