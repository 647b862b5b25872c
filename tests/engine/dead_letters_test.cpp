// Dead letters: events and activities that failed for good, redriven or discarded by an operator (S12, S14, S31).
#include "tests/support/log_audit.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace bobbin;
using namespace bobbin::testing;
using namespace std::chrono_literals;

namespace {

using Text = std::string;
const InstanceName refuser{"refuse", "k"};
const InstanceName caller{"call", "k"};

void registration(Registry& registry) {
  // Takes nothing while its input says so.
  registry.orchestrator("refuse", [](Context& ctx, const Text& input) {
    return input == "refuse" ? Text("took nothing") : ctx.wait_for_event<Text>("e").value;
  });
  registry.orchestrator("call", [](Context& ctx, const Text& input) {
    ActivityOptions options;
    options.dead_letter_on_failure = true;
    try {
      return ctx.call_activity<Text>("do", input, options);
    } catch (const ApplicationError& error) {
      return "without: " + error.info().message;
    }
  });
  registry.activity("do", [](const ActivityContext&, const Text& value) { return value; });
}

ActivityOutcome failure(const Text& message) { return {nullptr, {ErrorCode::application, "Broken", message, false}}; }

DeadLetter dead_event(World& world) {
  world.event_with_start(refuser, "refuse", "e", "unwanted");
  world.settle();
  const auto letters = world.dead_letters();
  REQUIRE(letters.size() == 1);
  return letters[0];
}

DeadLetter dead_activity(World& world) {
  world.start(caller, "input");
  world.end_activity(failure("gone"));
  const auto letters = world.dead_letters();
  REQUIRE(letters.size() == 1);
  return letters[0];
}

void check_books(World& world, const Text& orchestrator) {
  const auto audit = LogAudit(world.records());
  CHECK(audit.violations == std::vector<Text>{});
  const auto expected = audit.ledger(orchestrator);
  const auto ledger = world.ledger(orchestrator);
  CHECK(ledger.balanced());
  CHECK(ledger.accepted == expected.accepted);
  CHECK(ledger.consumed == expected.consumed);
  CHECK(ledger.pending == expected.pending);
  CHECK(ledger.dead_lettered == expected.dead_lettered);
  CHECK(ledger.discarded == expected.discarded);
}

}  // namespace

TEST_CASE("S14: a redriven event without a live run is pending again, in the mailbox, at its old position") {
  World world(registration);
  const auto letter = dead_event(world);
  check_books(world, "refuse");
  const auto redriven = world.redrive(letter.position);
  CHECK(redriven.how == Acceptance::done);
  auto state = world.status(refuser).state;
  REQUIRE(state.unread.size() == 1);
  CHECK(state.unread[0].position == letter.position);
  CHECK(state.unread[0].carry_count == 0);
  check_books(world, "refuse");
  world.crash();
  world.start(refuser, "accept");
  CHECK(world.result(refuser) == "unwanted");
  CHECK(world.ledger("refuse").consumed == 1);
  CHECK(world.ledger("refuse").accepted == 1);
  CHECK(world.dead_letters()[0].state == DeadLetterState::redriven);
  check_books(world, "refuse");
}

TEST_CASE("S14: a redriven event goes to the live run") {
  World world(registration);
  const auto letter = dead_event(world);
  world.start(refuser, "accept");
  SUBCASE("in memory") {}
  SUBCASE("not in memory") { world.crash(); }
  world.redrive(letter.position);
  CHECK(world.result(refuser) == "unwanted");
  check_books(world, "refuse");
}

TEST_CASE("S14: a redriven event may die again, and be redriven again") {
  World world(registration);
  const auto letter = dead_event(world);
  for (int round = 1; round <= 2; ++round) {
    world.redrive(letter.position);
    // Every run that takes nothing counts a carry; the event came with a start input, so successors follow.
    world.start(refuser, "refuse");
    world.settle();
    const auto letters = world.dead_letters();
    REQUIRE(letters.size() == 1);
    CHECK(letters[0].state == DeadLetterState::dead);
    CHECK(letters[0].redrives == static_cast<std::uint32_t>(round));
    CHECK(letters[0].position == letter.position);
    check_books(world, "refuse");
    world.crash();
  }
}

TEST_CASE("S13: an operator's act is repeated with the first answer, also after a crash") {
  World world(registration);
  bool event = true;
  SUBCASE("on an event") {}
  SUBCASE("on an activity") { event = false; }
  const auto letter = event ? dead_event(world) : dead_activity(world);
  const auto redriven = world.redrive(letter.position, {.dedup_id = "act", .note = "by hand"});
  const auto before = world.records().size();
  for (std::size_t opens = 0; opens < 3; ++opens) {
    const auto again = world.redrive(letter.position, {.dedup_id = "act"});
    CHECK(again.how == Acceptance::duplicate);
    CHECK(again.id == redriven.id);
    CHECK(again.run == redriven.run);
    CHECK(again.position == redriven.position);
    CHECK(again.accepted_at == redriven.accepted_at);
    CHECK(world.records().size() == before + opens);
    world.crash();
  }
  CHECK_THROWS_AS(world.discard(letter.position, {.dedup_id = "another"}), InvalidArgument);
  check_books(world, event ? "refuse" : "call");
}

TEST_CASE("S13: a redrive is repeated with its own run when the letter has died again since") {
  World world(registration);
  const auto letter = dead_event(world);
  const auto first = world.redrive(letter.position, {.dedup_id = "act"});
  world.start(refuser, "refuse");
  world.settle();
  REQUIRE(world.dead_letters()[0].state == DeadLetterState::dead);
  for (int opens = 0; opens < 2; ++opens) {
    const auto again = world.redrive(letter.position, {.dedup_id = "act"});
    CHECK(again.how == Acceptance::duplicate);
    CHECK(again.position == first.position);
    CHECK(again.run == first.run);
    world.crash();
  }
}

TEST_CASE("S14: a discarded event counts as discarded, and can be acted on no more") {
  World world(registration);
  const auto letter = dead_event(world);
  world.discard(letter.position);
  CHECK(world.ledger("refuse").discarded == 1);
  CHECK(world.ledger("refuse").dead_lettered == 0);
  check_books(world, "refuse");
  CHECK_THROWS_AS(world.redrive(letter.position), InvalidArgument);
  CHECK_THROWS_AS(world.discard(letter.position), InvalidArgument);
  world.crash();
  CHECK_THROWS_AS(world.redrive(letter.position), InvalidArgument);
  CHECK_THROWS_AS(world.redrive({letter.position.lsn, 99}), NotFound);
  CHECK(world.dead_letters()[0].state == DeadLetterState::discarded);
}

TEST_CASE("S31: an activity that failed for good is a dead letter, apart from the event ledger") {
  World world(registration);
  const auto letter = dead_activity(world);
  CHECK(letter.is_activity);
  CHECK(letter.what == "do");
  CHECK(letter.name == caller);
  CHECK(letter.cause.message == "gone");
  CHECK(world.result(caller) == "without: gone");
  const auto ledger = world.ledger("call");
  CHECK(ledger.failed_activities == 1);
  CHECK(ledger.dead_lettered == 0);
  world.crash();
  CHECK(world.dead_letters().at(0).position == letter.position);
}

TEST_CASE("S31: redriving an activity runs the same input under the same key; its result changes no run") {
  World world(registration);
  world.start(caller, "input");
  const auto key = world.runner().tasks.front().context.idempotency_key;
  world.end_activity(failure("gone"));
  const auto letter = world.dead_letters().at(0);
  const auto records_of_run = world.status(caller).state.end_record;
  world.redrive(letter.position);
  world.settle();
  REQUIRE(world.runner().tasks.size() == 1);
  CHECK(world.runner().tasks.front().context.idempotency_key == key);
  CHECK(world.runner().tasks.front().context.attempt == 2);
  CHECK(world.runner().tasks.front().input->bytes == "input");
  CHECK(world.dead_letters()[0].state == DeadLetterState::redriving);
  CHECK(world.ledger("call").failed_activities == 1);
  CHECK_THROWS_AS(world.redrive(letter.position), InvalidArgument);
  SUBCASE("it succeeds") {
    world.run_activity();
    CHECK(world.dead_letters()[0].state == DeadLetterState::redriven);
    CHECK(world.ledger("call").failed_activities == 0);
  }
  SUBCASE("it fails: dead again, with the new cause, and may be redriven again") {
    world.end_activity(failure("gone again"));
    const auto again = world.dead_letters().at(0);
    CHECK(again.state == DeadLetterState::dead);
    CHECK(again.cause.message == "gone again");
    CHECK(world.ledger("call").failed_activities == 1);
    world.redrive(letter.position);
    world.run_to_rest();
    CHECK(world.ledger("call").failed_activities == 0);
  }
  CHECK(world.result(caller) == "without: gone");
  CHECK(world.status(caller).state.end_record == records_of_run);
}

TEST_CASE("S31: a redriving that a crash cuts short goes on after it") {
  World world(registration);
  const auto letter = dead_activity(world);
  world.redrive(letter.position);
  world.settle();
  for (int crash = 0; crash < 3; ++crash) {
    world.crash();
    world.settle();
    CHECK(world.runner().tasks.size() == 1);
    CHECK(world.dead_letters().at(0).state == DeadLetterState::redriving);
  }
  world.run_activity();
  world.crash();
  world.settle();
  CHECK(world.runner().tasks.empty());
  CHECK(world.dead_letters().at(0).state == DeadLetterState::redriven);
  CHECK(world.ledger("call").failed_activities == 0);
}

TEST_CASE("S31: of more letters than are looked at in one step after an open, each is redriven once") {
  constexpr std::uint64_t count = 2'200;
  World world(registration);
  for (std::uint64_t i = 0; i < count; ++i) {
    world.start({"call", std::to_string(i)}, "input");
    world.end_activity(failure("gone"));
  }
  std::vector<Position> letters;
  for (auto page = world.dead_letters({}, 1'000); !page.empty(); page = world.dead_letters(letters.back(), 1'000))
    for (const auto& letter : page) letters.push_back(letter.position);
  REQUIRE(letters.size() == count);
  SUBCASE("all of them before the open") {
    for (const auto letter : letters) world.redrive(letter);
    world.crash();
    world.run_to_rest();
    CHECK(world.ledger("call").failed_activities == 0);
  }
  SUBCASE("one that is redriven before it has been looked at") {
    world.crash();
    world.engine().redrive(letters.back(), {}, [](const Result<Accepted>& answer) { CHECK(!answer.error); });
    while (world.runner().tasks.empty()) {
      REQUIRE(world.executor().run(Lane::orchestrator));
      world.executor().run(Lane::writer);
    }
    auto task = std::move(world.runner().tasks.front());
    world.runner().tasks.pop_front();
    task.done({task.input, {}});
    world.settle();
    CHECK(world.runner().tasks.empty());
    CHECK(world.ledger("call").failed_activities == count - 1);
    CHECK(world.dead_letters(letters[count - 2]).at(0).state == DeadLetterState::redriven);
  }
}

TEST_CASE("S31: a redriving whose act is not durable is not begun") {
  World world(registration);
  const auto letter = dead_activity(world);
  const auto before = world.disk().commits();
  world.redrive(letter.position);
  world.crash_to(world.disk().prefix(before));
  world.settle();
  CHECK(world.runner().tasks.empty());
  CHECK(world.dead_letters().at(0).state == DeadLetterState::dead);
}

TEST_CASE("S31: a discarded activity is settled") {
  World world(registration);
  const auto letter = dead_activity(world);
  world.discard(letter.position);
  CHECK(world.ledger("call").failed_activities == 0);
  world.crash();
  CHECK(world.ledger("call").failed_activities == 0);
  CHECK(world.dead_letters().at(0).state == DeadLetterState::discarded);
}

TEST_CASE("Dead letters are listed a page at a time, in order of position") {
  World world(registration);
  for (int i = 0; i < 7; ++i) {
    world.start({"call", std::to_string(i)}, "x");
    world.end_activity(failure("gone"));
  }
  std::vector<Position> seen;
  Position after;
  for (;;) {
    const auto page = world.dead_letters(after, 3);
    if (page.empty()) break;
    CHECK(page.size() <= 3);
    for (const auto& letter : page) seen.push_back(letter.position);
    after = seen.back();
  }
  CHECK(seen.size() == 7);
  CHECK(std::is_sorted(seen.begin(), seen.end()));
}
