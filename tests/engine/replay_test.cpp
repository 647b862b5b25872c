// Replay as a pure function of a history and the code (P5, S15).
#include "tests/support/history_builder.hpp"

#include <doctest/doctest.h>

using namespace bobbin;
using namespace bobbin::testing;
using namespace std::chrono_literals;

namespace {

using Text = std::string;

// An order: charge, then ship within an hour, or refund.
Text order(Context& ctx, const Text& item) {
  const auto charge = ctx.call_activity<Text>("charge", item);
  auto patience = ctx.create_timer(1h);
  const auto shipped = ctx.wait_for_event<Text>("shipped", patience);
  if (shipped) return charge + " " + shipped->value;
  return ctx.call_activity<Text>("refund", item);
}

HistoryBuilder order_so_far() {
  HistoryBuilder history;
  history.turn().start("book").schedules(1, "charge", "book");
  history.turn(2s).result(1, "paid").creates_timer(2, 1h);
  return history;
}

HistoryBuilder shipped_order() {
  auto history = order_so_far();
  history.turn(5min).event("shipped", "today");
  return history.takes(3, history.last_event()).decides(TimerCancelled{2}).completes("paid today");
}

HistoryBuilder refunded_order() {
  auto history = order_so_far();
  history.turn(1h).timer(2).schedules(4, "refund", "book");
  history.turn(1s).result(4, "refunded").completes("refunded");
  return history;
}

void check_diverges(const ReplayResult& result, Lsn turn, const Text& expected, const Text& found) {
  REQUIRE(result.divergence);
  CHECK(result.divergence->turn == turn);
  CHECK(result.divergence->expected.find(expected) != Text::npos);
  CHECK(result.divergence->found.find(found) != Text::npos);
}

}  // namespace

TEST_CASE("P5: a history replays to itself") {
  for (const auto& history : {order_so_far(), shipped_order(), refunded_order()}) {
    const auto result = history.replay(order);
    CHECK_MESSAGE(!result.divergence, result.divergence->expected << " / " << result.divergence->found);
    CHECK(result.payload_differences == 0);
    CHECK(result.turns == history.history().size());
  }
}

TEST_CASE("S15: two decisions swapped diverge, with turn, expected and found") {
  const auto one_way = [](Context& ctx, const Text&) {
    auto a = ctx.schedule_activity<Text>("a", Text("x"));
    auto timer = ctx.create_timer(1s);
    return a.get();
  };
  const auto other_way = [](Context& ctx, const Text&) {
    auto timer = ctx.create_timer(1s);
    auto a = ctx.schedule_activity<Text>("a", Text("x"));
    return a.get();
  };
  HistoryBuilder history;
  history.turn().start("").schedules(1, "a", "x").creates_timer(2, 1s);
  CHECK(!history.replay(one_way).divergence);
  check_diverges(history.replay(other_way), 1, "activity 'a'", "timer");
}

TEST_CASE("S15: two activities swapped diverge") {
  HistoryBuilder history;
  history.turn().start("").schedules(1, "a", "x").schedules(2, "b", "x");
  const auto swapped = [](Context& ctx, const Text&) {
    auto b = ctx.schedule_activity<Text>("b", Text("x"));
    auto a = ctx.schedule_activity<Text>("a", Text("x"));
    return a.get() + b.get();
  };
  check_diverges(history.replay(swapped), 1, "activity 'a' (#1)", "activity 'b' (#1)");
}

TEST_CASE("S15: an activity renamed diverges where it was decided") {
  const auto renamed = [](Context& ctx, const Text& item) {
    const auto charge = ctx.call_activity<Text>("charge", item);
    auto patience = ctx.create_timer(1h);
    const auto shipped = ctx.wait_for_event<Text>("shipped", patience);
    return shipped ? charge + " " + shipped->value : ctx.call_activity<Text>("give_back", item);
  };
  check_diverges(refunded_order().replay(renamed), 3, "refund", "give_back");
  CHECK(!shipped_order().replay(renamed).divergence);  // which never came to it
}

TEST_CASE("S15: a timer of another length, a decision missing, one too many") {
  HistoryBuilder history;
  history.turn().start("").creates_timer(1, 5s);
  const auto timers = [](std::vector<Duration> lengths) {
    return [lengths](Context& ctx, const Text&) {
      std::vector<Timer> made;
      for (const auto length : lengths) made.push_back(ctx.create_timer(length));
      return ctx.wait_for_event<Text>("never").value;
    };
  };
  CHECK(!history.replay(timers({5s})).divergence);
  check_diverges(history.replay(timers({6s})), 1, "timer due", "timer due");
  check_diverges(history.replay(timers({})), 1, "timer due", "no further decision");
  check_diverges(history.replay(timers({5s, 5s})), 1, "no further decision", "timer due");
}

TEST_CASE("S15: every kind of decision is compared, and named when it differs") {
  const auto waits = [](Context& ctx, const Text&) { return ctx.wait_for_event<Text>("e").value; };
  const auto recorded = [&](const Decision& decision, const Text& name) {
    HistoryBuilder history;
    history.turn().start("").decides(decision);
    check_diverges(history.replay(waits), 1, name, "no further decision");
  };
  recorded(ActivityCancelled{7}, "cancellation of an activity (#7)");
  recorded(TimerCancelled{7}, "cancellation of a timer (#7)");
  recorded(WaitCancelled{7, "e"}, "cancellation of a wait for 'e' (#7)");
  recorded(EventTaken{7, {3, 1}}, "event 3.1 taken (#7)");

  // Two waits of two names begin, of which the code cancels the other one.
  const auto cancels = [](bool first) {
    return [first](Context& ctx, const Text&) {
      auto a = ctx.expect_event<Text>("a");
      auto b = ctx.expect_event<Text>("b");
      (first ? a : b).cancel();
      return (first ? b : a).get().value;
    };
  };
  HistoryBuilder history;
  history.turn().start("").decides(WaitCancelled{1, "a"});
  CHECK(!history.replay(cancels(true)).divergence);
  check_diverges(history.replay(cancels(false)), 1, "wait for 'a' (#1)", "wait for 'b' (#2)");
}

TEST_CASE("S15: another way to end diverges") {
  HistoryBuilder history;
  history.turn().start("").completes("done");
  const auto returns = [](const Text& value) { return [value](Context&, const Text&) { return value; }; };
  CHECK(!history.replay(returns("done")).divergence);
  const auto throws = [](Context&, const Text&) -> Text { throw ApplicationError("E", "failed"); };
  check_diverges(history.replay(throws), 1, "completed", "failed with 'E'");
  const auto waits = [](Context& ctx, const Text&) { return ctx.wait_for_event<Text>("e").value; };
  check_diverges(history.replay(waits), 1, "completed", "goes on");
  HistoryBuilder failed;
  failed.turn().start("").fails("E");
  CHECK(!failed.replay(throws).divergence);
  check_diverges(failed.replay([](Context&, const Text&) -> Text { throw ApplicationError("F", "failed"); }), 1, "'E'",
                 "'F'");
}

TEST_CASE("S15: a difference of payload is counted, and fatal in strict mode") {
  HistoryBuilder history;
  history.turn().start("").schedules(1, "a", "x");
  history.turn().result(1, "y").schedules(2, "b", "y").schedules(3, "c", "y");
  const auto other = [](Context& ctx, const Text&) {
    auto a = ctx.schedule_activity<Text>("a", Text("other"));
    const auto y = a.get();
    auto b = ctx.schedule_activity<Text>("b", y);
    auto c = ctx.schedule_activity<Text>("c", Text("other"));
    return b.get();
  };
  const auto lenient = history.replay(other, false);
  CHECK(!lenient.divergence);
  CHECK(lenient.payload_differences == 2);
  check_diverges(history.replay(other, true), 1, "activity 'a'", "activity 'a'");
}

TEST_CASE("S15: options of an activity count as its payload") {
  HistoryBuilder history;
  history.turn().start("").schedules(1, "a", "x");
  const auto retried = [](Context& ctx, const Text&) {
    ActivityOptions options;
    options.retry.max_attempts = 7;
    return ctx.call_activity<Text>("a", Text("x"), options);
  };
  CHECK(history.replay(retried, false).payload_differences == 1);
  CHECK(history.replay(retried, true).divergence);
}

TEST_CASE("S2: inputs that an accepted record holds are replayed where their turn names them") {
  HistoryBuilder history;
  history.turn().start("");
  history.accepted(1s).event("e", "1").event("e", "2");
  const auto second = history.last_event();
  const Position first{second.lsn, 0};
  history.turn(1s).from_backlog(first).takes(1, first);
  history.turn(1s).from_backlog(second).takes(2, second).completes("12");
  const auto code = [](Context& ctx, const Text&) {
    const auto a = ctx.wait_for_event<Text>("e").value;
    return a + ctx.wait_for_event<Text>("e").value;
  };
  CHECK(!history.replay(code).divergence);
}

TEST_CASE("S12: carried events come first, as copies in the start record") {
  Event carried;
  carried.name = "e";
  carried.value = encode(Text("old"));
  carried.position = {900, 0};
  HistoryBuilder history;
  history.turn().start("", {carried}).takes(1, {900, 0});
  history.turn().event("e", "new");
  history.takes(2, history.last_event()).completes("old new");
  const auto code = [](Context& ctx, const Text&) {
    const auto a = ctx.wait_for_event<Text>("e").value;
    return a + " " + ctx.wait_for_event<Text>("e").value;
  };
  CHECK(!history.replay(code).divergence);
}

TEST_CASE("A history that names an input it does not hold is corrupt, not replayed") {
  HistoryBuilder history;
  history.turn().start("");
  history.turn().from_backlog({7, 0});
  CHECK_THROWS_AS(history.replay([](Context& ctx, const Text&) { return ctx.wait_for_event<Text>("e").value; }),
                  Corrupt);
}

TEST_CASE("S4: now() is the log time of the turn, and replaying() tells a replay") {
  HistoryBuilder history;
  history.turn().start("");
  history.turn(90s).event("e", "");
  history.takes(1, history.last_event()).completes("90 replaying");
  const auto code = [](Context& ctx, const Text&) {
    ctx.wait_for_event<Text>("e");
    const auto passed = std::chrono::duration_cast<std::chrono::seconds>(ctx.now() - HistoryBuilder::begin());
    return std::to_string(passed.count()) + (ctx.replaying() ? " replaying" : "");
  };
  CHECK(!history.replay(code).divergence);
}
