// Mailboxes expire by elapsed time, and what expired is counted (S10, S14).
#include "tests/support/log_audit.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

using namespace bobbin;
using namespace bobbin::testing;
using namespace std::chrono_literals;

namespace {

using Text = std::string;

// Takes every event "e" that it finds within an hour; the result lists them.
Text gather(Context& ctx, const Text&) {
  Text all;
  const auto closes = ctx.create_timer(1h);
  while (auto event = ctx.wait_for_event<Text>("e", closes)) all += event->value;
  return all;
}

void registration(Registry& registry) { registry.orchestrator("gather", gather); }

const InstanceName key{"gather", "k"};

EngineOptions options() {
  EngineOptions options;
  options.mailbox_time_to_live = 10min;
  options.checkpoint_age_records = 2;
  return options;
}

void check_ledger(World& world, std::uint64_t expired, std::uint64_t pending) {
  const auto ledger = world.ledger("gather");
  CHECK(ledger.expired == expired);
  CHECK(ledger.pending == pending);
  CHECK(ledger.balanced());
  CHECK(LogAudit(world.records()).violations == std::vector<Text>{});
}

}  // namespace

TEST_CASE("S10: an event leaves the mailbox when its time to live has passed, not before, and counts as expired") {
  World world(registration, options());
  world.event(key, "e", "1");
  world.pass(1min);
  world.event(key, "e", "2");
  world.pass(9min - 1ms);
  check_ledger(world, 0, 2);
  world.pass(1ms);
  check_ledger(world, 1, 1);
  CHECK(world.status(key).state.unread.size() == 1);
  world.pass(1min);
  check_ledger(world, 2, 0);
  world.start(key, "");
  world.pass(1h);
  CHECK(world.result(key).empty());
}

TEST_CASE("S10: what has expired is not given to a run that starts before anybody noticed") {
  World world(registration, options());
  world.event(key, "e", "1");
  world.clock().advance(5min);
  world.event(key, "e", "2");
  world.clock().advance(5min);
  bool by_event = false;
  SUBCASE("by a start") { world.start(key, ""); }
  SUBCASE("by an event with a start") {
    world.event_with_start(key, "", "e", "3");
    by_event = true;
  }
  check_ledger(world, 1, 0);
  world.pass(1h);
  CHECK(world.result(key) == (by_event ? "23" : "2"));
}

TEST_CASE("S4: the time to live does not pass while the engine is down, nor by a step of the wall clock") {
  World world(registration, options());
  world.event(key, "e", "1");
  world.pass(9min);
  world.start({"gather", "another"}, "");  // elapsed time is known as of the newest record
  SUBCASE("down for a day") {
    world.close();
    world.clock().advance(24h);
    world.crash();
  }
  SUBCASE("the wall clock steps by a day") { world.clock().set_wall(world.clock().wall_time() + 24h); }
  world.pass(30s);
  check_ledger(world, 0, 1);
  world.pass(31s);
  check_ledger(world, 1, 0);
}

TEST_CASE("S10: mailboxes that are not in memory expire, too, also those of before an open") {
  World world(registration, options());
  constexpr int keys = 60;
  for (int i = 0; i < keys; ++i) world.event({"gather", std::to_string(i)}, "e", "1");
  world.settle();
  CHECK(world.engine().stats().in_memory < keys / 2);
  SUBCASE("in one open") {}
  SUBCASE("after a crash") { world.crash(); }
  check_ledger(world, 0, keys);
  world.pass(10min);
  check_ledger(world, keys, 0);
}

TEST_CASE("S10: events that a run left unread expire in the mailbox") {
  World world(registration, options());
  world.start(key, "");
  world.event(key, "other", "1");
  world.pass(1h);
  check_ledger(world, 0, 1);
  world.crash();
  world.pass(10min);
  check_ledger(world, 1, 0);
}
