// Nothing is answered before its commit; bounded queues; what a failed commit does; close (S24, S25, S27, P1, P10).
#include "tests/support/log_audit.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

using namespace bobbin;
using namespace bobbin::testing;
using namespace std::chrono_literals;

namespace {

using Text = std::string;
const InstanceName key{"it", "k"};

void registration(Registry& registry) {
  registry.orchestrator("it", [](Context& ctx, const Text&) { return ctx.wait_for_event<Text>("e").value; });
  registry.orchestrator("call", [](Context& ctx, const Text& input) { return ctx.call_activity<Text>("do", input); });
  registry.activity("do", [](const ActivityContext&, const Text& value) { return value; });
}

}  // namespace

TEST_CASE("S24, P1: no kind of call is answered before the commit that makes its answer true") {
  World world(registration);
  World::Answer<Accepted> start, event, mailbox, both, duplicate, existing, ended;
  World::Answer<InstanceStatus> status, wait;
  auto& engine = world.engine();
  engine.start(key, Text(), {.dedup_id = "1"}, start.callback());
  engine.start(key, Text(), {.dedup_id = "1"}, duplicate.callback());
  engine.start(key, Text(), {}, existing.callback());
  engine.raise_event(key, "x", Text(), {}, event.callback());
  engine.raise_event({"it", "mailbox"}, "x", Text(), {}, mailbox.callback());
  engine.raise_event_with_start({"it", "both"}, Text(), "x", Text(), {}, both.callback());
  engine.status(key, status.callback());
  engine.terminate(key, "", {}, ended.callback());
  engine.wait(key, wait.callback());
  const auto any = [&] {
    return start.given() || event.given() || mailbox.given() || both.given() || duplicate.given() || existing.given() ||
           ended.given() || status.given() || wait.given();
  };
  for (int i = 0; i < 5; ++i) {
    world.executor().wake(Lane::orchestrator);
    world.executor().run(Lane::orchestrator);
    world.executor().run(Lane::completion);
    CHECK(!any());
  }
  world.executor().run(Lane::writer);
  CHECK(!any());  // callbacks belong to the completion lane
  world.settle();
  CHECK(start.get().value.how == Acceptance::started);
  CHECK(duplicate.get().value.how == Acceptance::duplicate);
  CHECK(existing.get().value.how == Acceptance::existing);
  CHECK(event.get().value.how == Acceptance::appended);
  CHECK(mailbox.get().value.how == Acceptance::mailbox);
  CHECK(both.get().value.how == Acceptance::started);
  CHECK(ended.get().value.how == Acceptance::done);
  CHECK(status.get().value.state.live());
  CHECK(!wait.get().value.state.live());
}

TEST_CASE("S24: whatever was answered survives a crash at once after it") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    World world(registration, {}, seed);
    std::vector<World::Answer<Accepted>> answers(20);
    for (std::size_t i = 0; i < answers.size(); ++i) {
      world.engine().raise_event({"it", std::to_string(i % 4)}, "x", std::to_string(i), {}, answers[i].callback());
      for (std::size_t step = 0; step < (seed + i) % 3; ++step) world.executor().run_one();
    }
    std::size_t answered = 0;
    for (const auto& answer : answers) answered += answer.given();
    const auto given = [&] {
      std::vector<Position> positions;
      for (const auto& answer : answers)
        if (answer.given() && !answer.get().error) positions.push_back(answer.get().value.position);
      return positions;
    }();
    CHECK(given.size() == answered);
    world.crash();
    const auto audit = LogAudit(world.records());
    for (const auto position : given) CHECK(audit.events.contains(position));
  }
}

TEST_CASE("S24: wait is answered when no run lives any more, not by a successor's predecessor") {
  World world(registration);
  World::Answer<InstanceStatus> waited;
  world.event_with_start(key, "", "x", "unread");
  world.engine().wait(key, waited.callback());
  world.settle();
  world.event(key, "e", "1");  // ends the first run; its unread event begins a successor
  world.settle();
  CHECK(!waited.given());
  world.event(key, "e", "2");
  world.settle();
  world.event(key, "e", "3");
  world.settle();
  CHECK(waited.given() == !world.status(key).state.live());
  world.terminate(key, {.discard_events = true});
  world.settle();
  REQUIRE(waited.given());
  CHECK(!waited.get().value.state.live());
}

TEST_CASE("S25: a full inbox refuses the callback form at once, by count") {
  EngineOptions options;
  options.inbox_requests = 10;
  World world(registration, options);
  int answered = 0;
  for (int i = 0; i < 10; ++i)
    world.engine().raise_event(key, "x", Text(), {}, [&answered](const Result<Accepted>&) { ++answered; });
  CHECK_THROWS_AS(
      world.engine().raise_event(key, "x", Text(), {}, [](const Result<Accepted>&) { FAIL("it was refused"); }),
      Overloaded);
  CHECK(world.engine().stats().inbox_requests == 10);
  world.settle();
  CHECK(answered == 10);
  CHECK(world.event(key, "x", "").value.how == Acceptance::mailbox);
}

TEST_CASE("S25: a full inbox refuses by bytes, but takes any one payload when it is empty") {
  EngineOptions options;
  options.inbox_bytes = 10'000;
  World world(registration, options);
  const auto ignore = [](const Result<Accepted>&) {};
  world.engine().raise_event(key, "x", Text(50'000, 'x'), {}, ignore);
  CHECK_THROWS_AS(world.engine().raise_event(key, "x", Text(), {}, ignore), Overloaded);
  world.settle();
  for (int i = 0; i < 4; ++i) world.engine().raise_event(key, "x", Text(2'000, 'x'), {}, ignore);
  CHECK_THROWS_AS(world.engine().raise_event(key, "x", Text(2'000, 'x'), {}, ignore), Overloaded);
}

TEST_CASE("S25: results of activities have reserved room: a full engine drains") {
  EngineOptions options;
  options.inbox_requests = 1;
  World world(registration, options);
  for (int i = 0; i < 5; ++i) world.start({"call", std::to_string(i)}, "x");
  World::Answer<Accepted> last;
  world.engine().raise_event(key, "x", Text(), {}, last.callback());  // fills the inbox
  while (!world.runner().tasks.empty()) {
    auto task = std::move(world.runner().tasks.front());
    world.runner().tasks.pop_front();
    task.done({task.input, {}});
  }
  world.settle();
  for (int i = 0; i < 5; ++i) CHECK(world.result({"call", std::to_string(i)}) == "x");
  CHECK(last.given());
}

TEST_CASE("S25: a live run's unread events are bounded; it drains by itself, and nothing accepted is lost") {
  EngineOptions options;
  options.unread_events = 3;
  World world(
      [](Registry& registry) {
        registry.orchestrator("all", [](Context& ctx, const Text&) {
          ctx.call_activity<Text>("hang", Text());
          Text all;
          for (int i = 0; i < 4; ++i) all += ctx.wait_for_event<Text>("e").value;
          return all;
        });
        registry.activity("hang", [](const ActivityContext&, const Text& value) { return value; });
      },
      options);
  const InstanceName all{"all", "k"};
  world.start(all, "");
  for (const auto* text : {"a", "b", "c"}) CHECK(!world.event(all, "e", text, {.dedup_id = text}).error);
  CHECK(world.event(all, "e", "d", {.dedup_id = "d"}).error.code == ErrorCode::overloaded);
  CHECK(world.event_with_start(all, "", "e", "d", {.dedup_id = "d"}).error.code == ErrorCode::overloaded);
  CHECK(world.event(all, "e", "c", {.dedup_id = "c"}).value.how == Acceptance::duplicate);
  CHECK(world.event({"all", "another"}, "e", "x").value.how == Acceptance::mailbox);
  world.crash();
  CHECK(world.event(all, "e", "d", {.dedup_id = "d"}).error.code == ErrorCode::overloaded);
  world.run_to_rest();
  CHECK(world.event(all, "e", "d", {.dedup_id = "d"}).value.how == Acceptance::appended);
  CHECK(world.result(all) == "abcd");
  CHECK(LogAudit(world.records()).ledger("all").accepted == 5);
}

TEST_CASE("S25: activities that wait refuse new work, not what has been accepted, and room comes as they end") {
  EngineOptions options;
  options.pending_activities = 3;
  World world(
      [](Registry& registry) {
        registry.orchestrator("later", [](Context& ctx, const Text& input) {
          ctx.wait_for_event<Text>("go");
          return ctx.call_activity<Text>("do", input);
        });
        registration(registry);
      },
      options);
  world.start({"later", "k"}, "late");
  world.event({"later", "k"}, "x", "");
  for (int i = 0; i < 3; ++i) CHECK(!world.start({"call", std::to_string(i)}, "x").error);
  CHECK(world.start({"call", "3"}, "x").error.code == ErrorCode::overloaded);
  CHECK(world.event({"later", "k"}, "go", "").error.code == ErrorCode::overloaded);
  CHECK(world.terminate({"call", "0"}).value.how == Acceptance::done);
  CHECK(world.start({"call", "3"}, "x").error.code == ErrorCode::overloaded);  // its activity still runs
  world.run_activity();
  CHECK(world.event({"later", "k"}, "go", "").value.how == Acceptance::appended);
  CHECK(world.start({"call", "3"}, "x").error.code == ErrorCode::overloaded);
  world.run_to_rest();
  CHECK(world.result({"later", "k"}) == "late");
  CHECK(!world.start({"call", "3"}, "x").error);
}

TEST_CASE("S25: answers whose callbacks do not run count against the inbox, and give room as they do") {
  EngineOptions options;
  options.inbox_requests = 10;
  World world(registration, options);
  int sent = 0, answered = 0;
  const auto send = [&] {
    world.engine().raise_event({"it", std::to_string(sent)}, "x", Text(), {},
                               [&answered](const Result<Accepted>&) { ++answered; });
    ++sent;
  };
  const auto send_until_refused = [&] {
    for (int rounds = 0; rounds < 200; ++rounds) {
      try {
        send();
      } catch (const Overloaded&) {
        return true;
      }
      world.executor().run(Lane::orchestrator);
      world.executor().run(Lane::writer);
      world.executor().run(Lane::orchestrator);
    }
    return false;
  };
  CHECK(send_until_refused());
  CHECK(sent <= 12);
  CHECK(answered == 0);
  CHECK_THROWS_AS(world.engine().start(key, Text(), {}, 1ms), Overloaded);
  world.settle();
  CHECK(answered == sent);
  const auto started = world.blocking([](Engine& engine) { return engine.start(key, Text()); });
  CHECK(started.how == Acceptance::started);
}

TEST_CASE("S25: answers that need no record are bounded too while a commit takes its time") {
  EngineOptions options;
  options.inbox_requests = 50;
  options.batch_records = 20;
  World world(registration, options);
  world.start(key, "");
  int sent = 0, answered = 0;
  const auto refused = [&] {
    try {
      world.engine().status(key, [&answered](const Result<InstanceStatus>&) { ++answered; });
      ++sent;
      return false;
    } catch (const Overloaded&) {
      return true;
    }
  };
  while (sent < 2'000 && !refused()) {
    world.executor().wake(Lane::orchestrator);
    world.executor().run(Lane::orchestrator);  // the writer does not come
  }
  CHECK(sent <= 50 + 3 * 20);
  world.settle();
  CHECK(answered == sent);
}

TEST_CASE("S25: calls that wait for an end are bounded, and those whose callers have gone do not count") {
  EngineOptions options;
  options.inbox_requests = 1'100;
  World world(registration, options);
  world.start(key, "");
  std::size_t answered = 0, refused = 0;
  const auto wait = [&] {
    world.engine().wait(key, [&](const Result<InstanceStatus>& result) {
      ++(result.error.code == ErrorCode::overloaded ? refused : answered);
    });
    world.settle();
  };
  for (int i = 0; i < 1'030; ++i) {
    std::atomic<bool> gone = false;
    std::thread caller([&] {
      CHECK_THROWS_AS(world.engine().wait(key, Duration(1)), TimedOut);
      gone = true;
    });
    while (!gone) std::this_thread::yield();
    caller.join();
    world.settle();
  }
  for (int i = 0; i < 1'110; ++i) wait();
  CHECK(refused == 10);
  CHECK(answered == 0);
  world.terminate(key);
  world.settle();
  CHECK(answered == 1'100);
}

TEST_CASE("S25: a blocking call that is not taken before its deadline is Overloaded, and has no effect") {
  World world(registration);
  CHECK_THROWS_AS(world.engine().start(key, Text(), {}, 1ms), Overloaded);  // no lane runs
  world.settle();
  CHECK_THROWS_AS(world.status(key), NotFound);
}

TEST_CASE("S25: a blocking call that waits for room gets it, or Overloaded at its deadline") {
  EngineOptions options;
  options.inbox_requests = 1;
  World world(registration, options);
  world.engine().raise_event(key, "x", Text(), {}, [](const Result<Accepted>&) {});
  CHECK_THROWS_AS(world.engine().start(key, Text(), {}, 1ms), Overloaded);
  const auto started = world.blocking([](Engine& engine) { return engine.start(key, Text()); });
  CHECK(started.how == Acceptance::started);
}

TEST_CASE("S25: a blocking call in a batch that is not durable at its deadline is OutcomeUnknown, and may happen") {
  World world(registration);
  ErrorCode code = ErrorCode::none;
  std::atomic<bool> done = false;
  std::thread caller([&] {
    try {
      world.engine().start(key, Text(), {.dedup_id = "1"}, 200ms);
    } catch (const Error& error) {
      code = error.code();
    }
    done = true;
  });
  while (!done) {
    world.executor().run(Lane::orchestrator);  // the writer does not come
    std::this_thread::yield();
  }
  caller.join();
  CHECK(code == ErrorCode::outcome_unknown);
  CHECK(world.start(key, "", {.dedup_id = "1"}).value.how == Acceptance::duplicate);
}

TEST_CASE("S26, P10: a failed commit stops the engine: OutcomeUnknown for what was pending, then Closed") {
  std::vector<ErrorInfo> failures;
  EngineOptions options;
  options.on_failure = [&failures](const ErrorInfo& error) { failures.push_back(error); };
  World world(registration, options);
  world.start(key, "", {.dedup_id = "0"});
  World::Answer<Accepted> pending, queued;
  world.engine().raise_event(key, "e", Text("1"), {.dedup_id = "1"}, pending.callback());
  world.executor().run(Lane::orchestrator);
  world.cut_power();
  world.engine().raise_event(key, "e", Text("2"), {.dedup_id = "2"}, queued.callback());
  world.settle();
  REQUIRE(pending.given());
  CHECK(pending.get().error.code == ErrorCode::outcome_unknown);
  REQUIRE(queued.given());
  CHECK(queued.get().error);
  CHECK(failures.size() == 1);
  CHECK(world.engine().stats().failed);
  CHECK_THROWS_AS(world.engine().raise_event(key, "e", Text(), {}, [](const Result<Accepted>&) {}), Closed);
  world.crash();
  CHECK(world.event(key, "e", "1", {.dedup_id = "1"}).value.how == Acceptance::appended);
  CHECK(world.result(key) == "1");
}

TEST_CASE("S27: close commits what was taken, refuses what comes, and says so") {
  World world(registration);
  World::Answer<Accepted> taken, queued;
  World::Answer<InstanceStatus> waiting;
  world.start(key, "");
  world.engine().wait(key, waiting.callback());
  world.settle();
  world.engine().raise_event(key, "x", Text("1"), {}, taken.callback());
  world.executor().run(Lane::orchestrator);
  world.engine().raise_event(key, "x", Text("2"), {}, queued.callback());
  world.engine().close(Duration::zero());
  CHECK(taken.get().value.how == Acceptance::appended);
  REQUIRE(queued.given());
  CHECK((queued.get().error.code == ErrorCode::closed || queued.get().value.how == Acceptance::appended));
  CHECK(waiting.get().error.code == ErrorCode::closed);
  CHECK_THROWS_AS(world.engine().raise_event(key, "x", Text(), {}, [](const Result<Accepted>&) {}), Closed);
  CHECK_THROWS_AS(world.engine().status(key), Closed);
  world.engine().close(Duration::zero());
  const std::size_t durable = 1 + !queued.get().error;
  world.crash();
  CHECK(world.status(key).state.unread.size() == durable);
}

TEST_CASE("list shows every instance once, a page at a time, from rows and from memory") {
  EngineOptions options;
  options.checkpoint_age_records = 2;
  World world(registration, options);
  for (int i = 0; i < 40; ++i) world.start({"it", std::to_string(i)}, "");
  std::set<Text> seen;
  ListQuery query;
  query.limit = 7;
  for (;;) {
    const auto page = world.list(query);
    if (page.empty()) break;
    for (const auto& state : page) CHECK(seen.insert(state.name.key).second);
    query.after = page.back().id;
  }
  CHECK(seen.size() == 40);
}
