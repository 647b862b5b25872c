// Reopening after a cut at every commit of a recorded longer run: whatever was cut off, the clients repeat it under the
// same dedup ids, and the outcome is the same (P1, P2, P6, P7).
#include "tests/support/log_audit.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

#include <map>
#include <set>
#include <sstream>

using namespace bobbin;
using namespace bobbin::testing;
using namespace std::chrono_literals;

namespace {

using Text = std::string;

Text order(Context& ctx, const Text& item) {
  auto patience = ctx.create_timer(24h);
  const auto paid = ctx.wait_for_event<Text>("pay", patience);
  const auto packed = ctx.wait_for_event<Text>("pack", patience);
  ActivityOptions options;
  options.retry.max_attempts = 0;
  const auto shipped = ctx.call_activity<Text>("flaky", item, options);
  return paid->value + "," + packed->value + "," + shipped;
}

Text collect(Context& ctx, const Text&) {
  Text all;
  for (Text value; value != "stop"; all += value) value = ctx.wait_for_event<Text>("item").value;
  return all;
}

Text give_up(Context& ctx, const Text& input) {
  ActivityOptions options;
  options.dead_letter_on_failure = true;
  try {
    return ctx.call_activity<Text>("hopeless", input, options);
  } catch (const ApplicationError& error) {
    return "gave up: " + error.type();
  }
}

// What the outside world remembers of attempts; it does not crash with the engine.
using Attempts = std::map<Text, int>;

std::function<void(Registry&)> registration(std::shared_ptr<Attempts> attempts) {
  return [attempts](Registry& registry) {
    registry.orchestrator("order", order);
    registry.orchestrator("collect", collect);
    registry.orchestrator("give_up", give_up);
    registry.orchestrator("refuse", [](Context&, const Text&) { return Text("took nothing"); });
    registry.orchestrator("sleep", [](Context& ctx, const Text&) {
      ctx.create_timer(90s).wait();
      return Text("slept");
    });
    registry.orchestrator("wait", [](Context& ctx, const Text&) { return ctx.wait_for_event<Text>("never").value; });
    registry.activity("flaky", [attempts](const ActivityContext& context, const Text& item) {
      if (++(*attempts)[context.idempotency_key] < 3) throw ApplicationError("Flaky", "not yet");
      return "shipped " + item;
    });
    registry.activity("hopeless",
                      [](const ActivityContext&, const Text&) -> Text { throw ApplicationError("Hopeless", "never"); });
  };
}

struct Call {
  InstanceName name;
  Text verb, what, value;
};

// In an order that every key's own calls keep.
std::vector<Call> calls() {
  std::vector<Call> all;
  all.push_back({{"collect", "early"}, "event", "item", "from the mailbox,"});
  all.push_back({{"refuse", "poison"}, "event_with_start", "e", "nobody reads this"});
  for (const auto* key : {"1", "2", "3", "4", "5", "6"}) {
    all.push_back({{"order", key}, "start", "", Text("book") + key});
    all.push_back({{"collect", key}, "event_with_start", "item", Text("a") + key});
    all.push_back({{"order", key}, "event", "pack", "packed"});
  }
  all.push_back({{"give_up", "k"}, "start", "", "x"});
  all.push_back({{"sleep", "k"}, "start", "", ""});
  all.push_back({{"wait", "k"}, "start", "", ""});
  all.push_back({{"wait", "k"}, "event", "unread", "discarded with the run"});
  all.push_back({{"wait", "k"}, "terminate", "", ""});
  for (const auto* key : {"3", "1", "6", "5", "2", "4"}) {
    all.push_back({{"collect", key}, "event_with_start", "item", "b"});
    all.push_back({{"order", key}, "event", "pay", "paid"});
    all.push_back({{"collect", key}, "event_with_start", "item", "stop"});
  }
  all.push_back({{"collect", "early"}, "event_with_start", "item", "more,"});
  all.push_back({{"collect", "early"}, "event_with_start", "item", "stop"});
  return all;
}

Result<Accepted> make(World& world, const Call& call, const Text& id) {
  if (call.verb == "start") return world.start(call.name, call.value, {.dedup_id = id});
  if (call.verb == "event") return world.event(call.name, call.what, call.value, {.dedup_id = id});
  if (call.verb == "terminate") return world.terminate(call.name, {.dedup_id = id, .discard_events = true});
  return world.event_with_start(call.name, "", call.what, call.value, {.dedup_id = id});
}

void finish(World& world) {
  for (int i = 0; i < 12; ++i) {
    world.run_to_rest();
    world.pass(15s);
  }
}

// All that a client or an operator can see in the end.
Text outcome(World& world) {
  std::ostringstream out;
  std::set<InstanceName> names;
  for (const auto& call : calls()) names.insert(call.name);
  for (const auto& name : names) {
    const auto status = world.status(name);
    out << name.orchestrator << "/" << name.key << ": " << to_string(status.state.status) << " "
        << (status.result ? status.result->bytes : status.state.error.message) << ", " << status.state.unread.size()
        << " unread\n";
  }
  for (const auto* orchestrator : {"order", "collect", "give_up", "refuse", "sleep", "wait"}) {
    const auto ledger = world.ledger(orchestrator);
    CHECK(ledger.balanced());
    out << orchestrator << ": " << ledger.accepted << " accepted, " << ledger.consumed << " consumed, "
        << ledger.pending << " pending, " << ledger.dead_lettered << " dead, " << ledger.discarded << " discarded, "
        << ledger.failed_activities << " failed activities\n";
  }
  for (const auto& letter : world.dead_letters()) out << letter.what << " " << letter.cause.type << "\n";
  return out.str();
}

}  // namespace

TEST_CASE("P1, P2: after a cut at any commit, with unanswered calls repeated, the outcome is the same") {
  struct Answered {
    Accepted answer;
    std::uint64_t at_commit;
  };
  EngineOptions options;
  SUBCASE("rows are hardly checkpointed: recovery folds the log") {}
  SUBCASE("rows are checkpointed at once: recovery loads them") { options.checkpoint_age_records = 1; }
  World reference(registration(std::make_shared<Attempts>()), options);
  std::vector<Answered> answers;
  const auto script = calls();
  for (std::size_t i = 0; i < script.size(); ++i) {
    const auto result = make(reference, script[i], std::to_string(i));
    REQUIRE(!result.error);
    answers.push_back({result.value, reference.disk().commits()});
    reference.pass(100ms);
    if (i % 3 == 0) reference.run_to_rest();
  }
  finish(reference);
  const auto expected = outcome(reference);
  INFO(expected);
  CHECK(expected.find("order/2: completed paid,packed,shipped book2, 0 unread") != Text::npos);
  CHECK(expected.find("collect/early: completed from the mailbox,more,stop") != Text::npos);
  CHECK(expected.find("refuse: 1 accepted, 0 consumed, 0 pending, 1 dead") != Text::npos);
  CHECK(expected.find("wait: 1 accepted, 0 consumed, 0 pending, 0 dead, 1 discarded") != Text::npos);
  CHECK(expected.find("hopeless Hopeless") != Text::npos);

  const auto commits = reference.disk().commits();
  REQUIRE(commits > 60);
  for (std::uint64_t cut = 0; cut <= commits; ++cut) {
    CAPTURE(cut);
    World world(registration(std::make_shared<Attempts>()), options);
    world.crash_to(reference.disk().prefix(cut));
    for (std::size_t i = 0; i < script.size(); ++i) {
      CAPTURE(i);
      const auto repeated = make(world, script[i], std::to_string(i));
      REQUIRE(!repeated.error);
      if (answers[i].at_commit > cut) continue;
      // It had been answered: so it is in the log, and known.
      CHECK(repeated.value.how == Acceptance::duplicate);
      CHECK(repeated.value.position == answers[i].answer.position);
      CHECK(repeated.value.run == answers[i].answer.run);
    }
    finish(world);
    CHECK(outcome(world) == expected);
    const auto audit = LogAudit(world.records());
    CHECK(audit.violations == std::vector<Text>{});
    for (const auto& [id, times] : audit.times_accepted) CHECK(times == 1);
  }
}
