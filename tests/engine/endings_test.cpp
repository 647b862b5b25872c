// What becomes of unread events when a run ends (S12, P4).
#include "engine/runtime/endings.hpp"

#include "tests/support/log_audit.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

using namespace bobbin;
using namespace bobbin::testing;
using namespace std::chrono_literals;

namespace {

using Text = std::string;

// Waits for one event "end", whose value says how to end: it leaves all others unread. An input "now:..." ends at once.
Text linger(Context& ctx, const Text& input) {
  if (input.starts_with("now")) return input;
  const auto how = ctx.wait_for_event<Text>("end").value;
  if (how == "fail") throw ApplicationError("asked", "told to fail");
  return input + "/" + how;
}

// Fails at once and takes nothing.
Text fail_always(Context&, const Text&) { throw ApplicationError("always", "fails before it takes anything"); }
// Takes one event and fails a little later.
Text take_and_fail(Context& ctx, const Text&) {
  ctx.wait_for_event<Text>("e");
  ctx.create_timer(10ms).wait();
  throw ApplicationError("always", "fails after it took something");
}

void registration(Registry& registry) {
  registry.orchestrator("linger", linger);
  registry.orchestrator("fail_always", fail_always);
  registry.orchestrator("take_and_fail", take_and_fail);
}

const InstanceName key{"linger", "k"};

}  // namespace

TEST_CASE("S12: a completed run's unread events go to a successor with the first one's start input") {
  World world(registration);
  world.start(key, "first");
  const auto plain = world.event(key, "e", "plain").value;
  world.event_with_start(key, "second", "e", "b");
  world.event_with_start(key, "third", "e", "c");
  const auto run = world.status(key).state.run;
  world.event(key, "end", "bye");
  const auto state = world.status(key).state;
  CHECK(state.live());
  CHECK(state.run > run);
  CHECK(state.run_number == 2);
  REQUIRE(state.unread.size() == 3);
  CHECK(state.unread[0].position == plain.position);
  CHECK(state.unread[0].accepted_at == plain.accepted_at);
  for (const auto& event : state.unread) CHECK(event.carry_count == 0);  // the run took "end"
  world.event(key, "end", "bye");
  world.settle();
  const auto next = world.status(key).state;
  CHECK(next.run_number == 3);  // and its input came with the first event that brought one
  world.terminate(key, {.discard_events = true});
  const auto records = world.records();
  std::vector<Text> inputs;
  for (const auto& record : records)
    if (const auto* accepted = std::get_if<AcceptedBody>(&record.body))
      for (const auto& input : accepted->inputs)
        if (const auto* start = std::get_if<StartInput>(&input)) inputs.push_back(start->input->bytes);
  CHECK(inputs == std::vector<Text>{"second", "second"});
  CHECK(LogAudit(records).violations.empty());
}

TEST_CASE("S12: without a start input among them, unread events go to the mailbox") {
  World world(registration);
  world.start(key, "x");
  world.event(key, "e", "a");
  world.event(key, "e", "b");
  Text how;
  SUBCASE("completed") { how = "bye"; }
  SUBCASE("failed") { how = "fail"; }
  SUBCASE("terminated") { how = ""; }
  if (how.empty())
    world.terminate(key);
  else
    world.event(key, "end", how);
  auto state = world.status(key).state;
  CHECK(!state.live());
  REQUIRE(state.unread.size() == 2);
  CHECK(state.unread[0].carry_count == 0);  // going to the mailbox does not count
  CHECK(state.unread[0].mailbox_expires_at > Elapsed{});
  world.crash();
  world.start(key, "y");
  state = world.status(key).state;
  CHECK(state.unread.size() == 2);
  CHECK(LogAudit(world.records()).ledger("linger").pending == 2);
}

TEST_CASE("S12: a run that took nothing counts a carry; at three the event is dead, with its cause") {
  World world(registration);
  const auto sent = world.event_with_start(key, "now", "e", "poison").value;
  world.settle();
  const auto state = world.status(key).state;
  CHECK(!state.live());
  CHECK(state.unread.empty());
  const auto records = world.records();
  CHECK(LogAudit(records).runs == 3);
  const auto letters = world.dead_letters();
  REQUIRE(letters.size() == 1);
  CHECK(letters[0].position == sent.position);
  CHECK(letters[0].state == DeadLetterState::dead);
  CHECK(!letters[0].is_activity);
  CHECK(letters[0].what == "e");
  CHECK(letters[0].name == key);
  CHECK(letters[0].cause.type == "unread");
  CHECK(LogAudit(records).ledger("linger").dead_lettered == 1);
}

TEST_CASE("S12: the limit of carries is an option, and carries survive crashes") {
  EngineOptions options;
  options.carries_before_dead = 5;
  World world(registration, options);
  const InstanceName failing{"fail_always", "k"};
  world.event_with_start(failing, "", "e", "poison");
  std::uint32_t carries = 0;
  for (const auto backoff : {1s, 2s, 4s, 8s}) {
    CHECK(world.status(failing).state.unread.at(0).carry_count == ++carries);
    world.crash();
    world.pass(backoff);
  }
  CHECK(!world.status(failing).state.live());
  CHECK(LogAudit(world.records()).runs == 5);
  CHECK(world.dead_letters().size() == 1);
}

TEST_CASE("S12: the successor of a failed run starts after a durable backoff of 1 s, doubling, to 1 min") {
  World world(registration);
  const InstanceName failing{"take_and_fail", "k"};
  for (int i = 0; i < 9; ++i) world.event_with_start(failing, "", "e", std::to_string(i));
  for (const auto backoff : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
    world.pass(10ms);
    const auto state = world.status(failing).state;
    CHECK(state.begins_at - state.started_at == backoff);
    CHECK(!state.begun);
    world.pass(Duration(backoff) / 2);
    world.crash();  // the backoff goes on where it was
    world.pass(Duration(backoff) / 2 - 1us);
    CHECK(!world.status(failing).state.begun);
    world.pass(1us);
    CHECK(world.status(failing).state.begun);
    CHECK(world.status(failing).state.run == state.run);
  }
  world.pass(10ms);
  CHECK(world.status(failing).state.status == RunStatus::failed);
  CHECK(LogAudit(world.records()).ledger("take_and_fail").consumed == 9);
}

TEST_CASE("S12: a run that does not fail ends the row of failures") {
  World world(registration);
  const auto fail_once = [&world] {
    world.event_with_start(key, "x", "e", "unread");
    world.event(key, "end", "fail");
    return world.status(key).state.begins_at - world.status(key).state.started_at;
  };
  CHECK(fail_once() == 1s);
  world.pass(1s);
  CHECK(fail_once() == 2s);
  world.pass(2s);
  world.event(key, "end", "well");
  CHECK(fail_once() == 1s);
}

TEST_CASE("S12: arrivals during the backoff are appended to the waiting successor") {
  World world(registration);
  const InstanceName failing{"take_and_fail", "k"};
  world.event_with_start(failing, "", "e", "a");
  world.event_with_start(failing, "", "e", "b");
  world.event_with_start(failing, "", "e", "c");
  world.pass(10ms);
  const auto state = world.status(failing).state;
  REQUIRE(state.live());
  CHECK(!state.begun);
  const auto appended = world.event_with_start(failing, "", "e", "d").value;
  CHECK(appended.how == Acceptance::appended);
  CHECK(appended.run == state.run);
  CHECK(world.start(failing, "").value.how == Acceptance::existing);
  world.pass(5min);
  CHECK(LogAudit(world.records()).ledger("take_and_fail").consumed == 4);
}

TEST_CASE("S12: terminate can discard unread events, else they go on") {
  World world(registration);
  world.event_with_start(key, "x", "e", "a");
  world.terminate(key, {.discard_events = true});
  CHECK(!world.status(key).state.live());
  CHECK(LogAudit(world.records()).ledger("linger").discarded == 1);
  world.event_with_start(key, "x", "e", "b");
  const auto run = world.status(key).state.run;
  const auto ended = world.terminate(key).value;
  CHECK(ended.run == run);
  const auto state = world.status(key).state;
  CHECK(state.live());
  CHECK(state.run != run);
  CHECK(world.terminate({"linger", "nobody"}).error.code == ErrorCode::not_found);
}

TEST_CASE("S12: a terminated run's error and end are seen by status") {
  World world(registration);
  world.start(key, "x");
  world.terminate(key);
  const auto state = world.status(key).state;
  CHECK(state.status == RunStatus::terminated);
  CHECK(state.error.code == ErrorCode::terminated);
  CHECK(state.error.message == "the test asked for it");
}

TEST_CASE("P4: steady events cannot keep a run from closing, and none is lost") {
  World world([](Registry& registry) {
    registry.orchestrator("window", [](Context& ctx, const Text&) {
      auto closes = ctx.create_timer(1s);
      int count = 0;
      while (ctx.wait_for_event<Text>("e", closes)) ++count;
      return std::to_string(count);
    });
  });
  const InstanceName window{"window", "k"};
  for (int i = 0; i < 1'000; ++i) {
    world.event_with_start(window, "", "e", std::to_string(i));
    world.pass(10ms);
  }
  world.pass(2s);
  const auto audit = LogAudit(world.records());
  CHECK(audit.runs >= 9);
  CHECK(audit.ledger("window").consumed == 1'000);
  CHECK(audit.violations.empty());
}

TEST_CASE("S12, pure: what becomes of each unread event") {
  const auto unread = [](std::uint32_t carries, bool with_start) {
    UnreadEvent event;
    event.position = {1, carries};
    event.carry_count = carries;
    event.with_start = with_start;
    return event;
  };
  const EngineOptions options;
  const std::vector<UnreadEvent> events{unread(0, false), unread(2, true), unread(1, true)};
  EndingInput input;

  auto plan = plan_ending(input, events, options);  // took nothing
  CHECK(plan.unread[0].fate == UnreadFate::successor);
  CHECK(plan.unread[0].carry_count == 1);
  CHECK(plan.unread[1].fate == UnreadFate::dead_lettered);
  CHECK(plan.unread[1].carry_count == 3);
  CHECK(plan.unread[2].fate == UnreadFate::successor);
  CHECK(plan.successor_from == events[2].position);

  input.took_event = true;
  plan = plan_ending(input, events, options);
  CHECK(plan.unread[1].fate == UnreadFate::successor);
  CHECK(plan.unread[1].carry_count == 2);
  CHECK(plan.successor_from == events[1].position);

  input.discard = true;
  plan = plan_ending(input, events, options);
  for (const auto& fate : plan.unread) CHECK(fate.fate == UnreadFate::discarded);
  CHECK(!plan.successor_from);
}
