// Policies of start, answers of raise_event_with_start, and the mailbox (S7 to S10).
#include "tests/support/log_audit.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

using namespace bobbin;
using namespace bobbin::testing;
using namespace std::chrono_literals;

namespace {

// Input "N:rest": takes N events "e" and returns the rest of the input and their values; throws if one says so.
std::string take(Context& ctx, const std::string& input) {
  std::string taken = input.substr(2);
  for (int i = 0; i < input[0] - '0'; ++i) {
    const auto event = ctx.wait_for_event<std::string>("e");
    if (event.value == "throw") throw ApplicationError("asked", "the event said so");
    taken += "," + event.value;
  }
  return taken;
}

void registration(Registry& registry) { registry.orchestrator("take", take); }

const InstanceName key{"take", "k"};

}  // namespace

TEST_CASE("S8: a start of a live id uses the existing run, and not the second input") {
  World world(registration);
  const auto first = world.start(key, "1:first").value;
  CHECK(first.how == Acceptance::started);
  const auto second = world.start(key, "1:second").value;
  CHECK(second.how == Acceptance::existing);
  CHECK(second.run == first.run);
  CHECK(second.position == first.position);
  world.event(key, "e", "a");
  CHECK(world.result(key) == "first,a");
}

TEST_CASE("S8: a start of a live id may be told to fail") {
  World world(registration);
  CHECK(world.start(key, "1:", {.if_live = IfLive::fail}).value.how == Acceptance::started);
  CHECK(world.start(key, "1:", {.if_live = IfLive::fail}).error.code == ErrorCode::already_exists);
  CHECK(world.status(key).state.live());
}

TEST_CASE("S8: a start may end the live run in the same commit; the new run gets the unread events") {
  World world(registration);
  const auto first = world.start(key, "1:first").value;
  world.event(key, "other", "unread");
  World::Answer<Accepted> answer;
  world.engine().start(key, std::string("0:second"), {.if_live = IfLive::terminate_existing}, answer.callback());
  world.executor().run(Lane::orchestrator);
  CHECK(!answer.given());
  const auto commits = world.disk().commits();
  world.executor().run(Lane::writer);
  CHECK(world.disk().commits() == commits + 1);
  world.settle();
  REQUIRE(answer.given());
  const auto second = answer.get().value;
  CHECK(second.how == Acceptance::started);
  CHECK(second.run > first.run);
  CHECK(second.run_number == first.run_number + 1);
  CHECK(world.result(key) == "second");

  int ends = 0, starts = 0;  // in that one commit
  const auto first_lsn = world.disk().prefix(commits)->snapshot()->info().last_lsn + 1;
  world.disk().prefix(commits + 1)->snapshot()->scan(first_lsn, [&](Record&& record) {
    if (const auto* turn = std::get_if<TurnBody>(&record.body))
      ends += turn->end.has_value() && record.run == first.run;
    starts += record.run == second.run && record.run_sequence == 1;
    return true;
  });
  CHECK(ends == 1);
  CHECK(starts == 1);
  const auto audit = LogAudit(world.records());
  CHECK(audit.violations == std::vector<std::string>{});
  CHECK(audit.ledger("take").pending == 1);
}

TEST_CASE("S8: a start of a finished id: allow, only_if_failed, reject") {
  World world(registration);
  world.start(key, "0:one");
  CHECK(world.start(key, "0:two", {.if_finished = IfFinished::reject}).error.code == ErrorCode::already_exists);
  CHECK(world.start(key, "0:two", {.if_finished = IfFinished::only_if_failed}).error.code == ErrorCode::already_exists);
  CHECK(world.result(key) == "one");
  CHECK(world.start(key, "1:three").value.run_number == 2);
  world.event(key, "e", "throw");
  CHECK(world.status(key).state.status == RunStatus::failed);
  CHECK(world.start(key, "0:four", {.if_finished = IfFinished::reject}).error.code == ErrorCode::already_exists);
  CHECK(world.start(key, "0:five", {.if_finished = IfFinished::only_if_failed}).value.run_number == 3);
  CHECK(world.result(key) == "five");
}

TEST_CASE("S8: policies for finished runs do not hinder the first start, also after mailbox events") {
  World world(registration);
  world.event(key, "e", "early");
  CHECK(world.start(key, "1:x", {.if_finished = IfFinished::reject}).value.how == Acceptance::started);
  CHECK(world.result(key) == "x,early");
}

TEST_CASE("S8: an unknown orchestrator is refused, and nothing of it stays") {
  World world(registration);
  CHECK(world.start({"unknown", "k"}, "").error.code == ErrorCode::not_found);
  CHECK(world.event_with_start({"unknown", "k"}, "", "e", "a").error.code == ErrorCode::not_found);
  CHECK_THROWS_AS(world.status({"unknown", "k"}), NotFound);
}

TEST_CASE("S9: started, appended, successor and duplicate, each with its run and position") {
  World world(registration);
  const auto started = world.event_with_start(key, "3:x", "e", "a", {.dedup_id = "1"}).value;
  CHECK(started.how == Acceptance::started);
  CHECK(started.run == started.position.lsn);
  const auto appended = world.event_with_start(key, "3:y", "e", "b").value;
  CHECK(appended.how == Acceptance::appended);
  CHECK(appended.run == started.run);
  CHECK(appended.position > started.position);
  const auto duplicate = world.event_with_start(key, "3:z", "e", "c", {.dedup_id = "1"}).value;
  CHECK(duplicate.how == Acceptance::duplicate);
  CHECK(duplicate.run == started.run);
  CHECK(duplicate.position == started.position);
  CHECK(duplicate.accepted_at == started.accepted_at);
  world.event(key, "e", "c");
  CHECK(world.result(key) == "x,a,b,c");
}

namespace {
// Takes one "e" and ends when anything arrives under the name "bye", which it does not read.
void registration_of_leaver(Registry& registry) {
  registry.orchestrator("leave", [](Context& ctx, const std::string&) {
    auto event = ctx.wait_for_event<std::string>("e");
    auto closes = ctx.create_timer(1h);
    auto bye = ctx.wait_for_event<std::string>("e", closes);
    return event.value + (bye ? bye->value : "");
  });
}
}  // namespace

TEST_CASE("S9: successor: an event accepted in the turn that ends the run begins the next one") {
  World world(registration_of_leaver);
  const InstanceName leaver{"leave", "k"};
  const auto first = world.event_with_start(leaver, "", "e", "a").value;
  world.clock().advance(1h);  // the timer fires before the event, in the same turn
  const auto second = world.event_with_start(leaver, "", "e", "b").value;
  CHECK(second.how == Acceptance::successor);
  CHECK(second.run > first.run);
  CHECK(second.run_number == 2);
  const auto status = world.status(leaver);
  CHECK(status.state.run == second.run);
  CHECK(status.state.live());
  CHECK(status.state.unread.empty());  // the successor has taken it
  CHECK(LogAudit(world.records()).ledger("leave").consumed == 2);
}

TEST_CASE("S9: started answers the position of the event, not of the start") {
  World world(registration);
  const auto answer = world.event_with_start(key, "1:x", "e", "a").value;
  const auto records = world.records();
  const auto audit = LogAudit(records);
  REQUIRE(audit.events.size() == 1);
  CHECK(audit.events.begin()->first == answer.position);
}

TEST_CASE("S10: events without a run wait in the mailbox, and the next run gets them first and in order") {
  World world(registration);
  for (const auto* value : {"a", "b"}) {
    const auto kept = world.event(key, "e", value).value;
    CHECK(kept.how == Acceptance::mailbox);
  }
  CHECK(world.status(key).state.unread.size() == 2);
  world.crash();
  const auto started = world.event_with_start(key, "3:x", "e", "c").value;
  CHECK(started.how == Acceptance::started);
  CHECK(world.result(key) == "x,a,b,c");
  CHECK(LogAudit(world.records()).ledger("take").consumed == 3);
}

TEST_CASE("S10: the mailbox keeps positions and times of acceptance") {
  World world([](Registry& registry) {
    registry.orchestrator("take", [](Context& ctx, const std::string&) {
      const auto event = ctx.wait_for_event<std::string>("e");
      return to_string(event.position) + "@" + std::to_string(event.accepted_at.time_since_epoch().count());
    });
  });
  const auto kept = world.event(key, "e", "a").value;
  world.pass(10min);
  world.start(key, "");
  CHECK(world.result(key) ==
        to_string(kept.position) + "@" + std::to_string(kept.accepted_at.time_since_epoch().count()));
}

TEST_CASE("S10: a full mailbox refuses with Overloaded until a run has taken it over") {
  EngineOptions options;
  options.mailbox_events = 2;
  World world(registration, options);
  world.event(key, "e", "a");
  world.event(key, "e", "b");
  CHECK(world.event(key, "e", "c", {.dedup_id = "c"}).error.code == ErrorCode::overloaded);
  world.start(key, "2:x");
  CHECK(world.event(key, "e", "c", {.dedup_id = "c"}).value.how == Acceptance::mailbox);  // refused: not remembered
  CHECK(world.result(key) == "x,a,b");
}

TEST_CASE("S7: what belongs to an older run is ignored and counted") {
  World world([](Registry& registry) {
    registry.orchestrator(
        "work", [](Context& ctx, const std::string& input) { return ctx.call_activity<std::string>("do", input); });
    registry.activity("do", [](const ActivityContext&, const std::string& input) { return "<" + input + ">"; });
  });
  const InstanceName work{"work", "k"};
  world.start(work, "old");
  REQUIRE(world.runner().tasks.size() == 1);
  world.terminate(work);
  CHECK(world.runner().tasks.front().context.cancellation.cancelled());
  world.start(work, "new");
  const auto before = world.records().size();
  world.end_activity({encode(std::string("late")), {}});
  CHECK(world.records().size() == before);
  CHECK(world.engine().stats().late_inputs == 1);
  CHECK(world.status(work).state.live());
  world.run_to_rest();
  CHECK(world.result(work) == "<new>");
}
