// Who gets an event, and what a timer does to those who wait (S2, S5, S11).
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

using namespace bobbin;
using namespace bobbin::testing;
using namespace std::chrono_literals;

namespace {

using Text = std::string;
const InstanceName one{"it", "k"};

World world_of(std::function<Text(Context&, const Text&)> code) {
  return World([code](Registry& registry) { registry.orchestrator("it", code); });
}

}  // namespace

TEST_CASE("S11: waiters of one name are served in the order in which they began to wait") {
  auto world = world_of([](Context& ctx, const Text&) {
    auto first = ctx.expect_event<Text>("e");
    auto second = ctx.expect_event<Text>("e");
    auto third = ctx.expect_event<Text>("e");
    const auto c = third.get().value;
    const auto a = first.get().value;
    return a + second.get().value + c;
  });
  world.start(one, "");
  for (const auto* value : {"1", "2", "3"}) world.event(one, "e", value);
  CHECK(world.result(one) == "123");
}

TEST_CASE("S11: fibers that wait for one name are served first in, first out") {
  auto world = world_of([](Context& ctx, const Text&) {
    Text log;
    std::vector<Fiber<Nothing>> fibers;
    for (char name = 'a'; name < 'e'; ++name)
      fibers.push_back(ctx.spawn([&ctx, &log, name] {
        const auto value = ctx.wait_for_event<Text>("e").value;
        log += Text(1, name) + value;
        return Nothing{};
      }));
    for (auto& fiber : fibers) fiber.join();
    return log;
  });
  world.start(one, "");
  for (const auto* value : {"1", "2", "3", "4"}) world.event(one, "e", value);
  CHECK(world.result(one) == "a1b2c3d4");
}

TEST_CASE("S11: a cancelled first waiter takes nothing and loses its place") {
  auto world = world_of([](Context& ctx, const Text&) {
    auto first = ctx.expect_event<Text>("e");
    auto second = ctx.expect_event<Text>("e");
    ctx.wait_for_event<Text>("go");
    first.cancel();
    return second.get().value;
  });
  world.start(one, "");
  world.event(one, "go", "");
  world.event(one, "e", "mine");
  CHECK(world.result(one) == "mine");
}

TEST_CASE("S11: a destroyed first waiter takes nothing and loses its place") {
  auto world = world_of([](Context& ctx, const Text&) {
    std::optional<EventWait<Text>> first(ctx.expect_event<Text>("e"));
    auto second = ctx.expect_event<Text>("e");
    ctx.wait_for_event<Text>("go");
    first.reset();
    return second.get().value;
  });
  world.start(one, "");
  world.event(one, "go", "");
  world.event(one, "e", "mine");
  CHECK(world.result(one) == "mine");
}

TEST_CASE("S11: a timed-out first waiter does not swallow the event meant for the next one") {
  auto world = world_of([](Context& ctx, const Text&) {
    Text log;
    auto bounded = ctx.spawn([&] {
      auto until = ctx.create_timer(5s);
      log += ctx.wait_for_event<Text>("e", until) ? "swallowed " : "timed-out ";
    });
    auto unbounded = ctx.spawn([&] { log += ctx.wait_for_event<Text>("e").value; });
    bounded.join();
    unbounded.join();
    return log;
  });
  world.start(one, "");
  SUBCASE("the timer fired before the event came") {
    world.pass(5s);
    world.event(one, "e", "mine");
  }
  SUBCASE("both meet in one turn") {
    world.clock().advance(5s);
    world.event(one, "e", "mine");
  }
  CHECK(world.result(one) == "timed-out mine");
}

TEST_CASE("S11: a first waiter whose fiber is cancelled does not swallow the event") {
  auto world = world_of([](Context& ctx, const Text&) {
    auto first = ctx.spawn([&ctx] { return ctx.wait_for_event<Text>("e").value; });
    auto second = ctx.spawn([&ctx] { return ctx.wait_for_event<Text>("e").value; });
    ctx.wait_for_event<Text>("go");
    first.cancel();
    return second.join();
  });
  world.start(one, "");
  world.event(one, "go", "");
  world.event(one, "e", "mine");
  CHECK(world.result(one) == "mine");
}

TEST_CASE("S2, S11: event and timer in one turn: the earlier of the two wins") {
  auto world = world_of([](Context& ctx, const Text&) {
    auto until = ctx.create_timer(5s);
    const auto event = ctx.wait_for_event<Text>("e", until);
    return event ? event->value : Text("timer");
  });
  world.start(one, "");
  SUBCASE("the event was accepted before the timer's due time") {
    world.clock().advance(5s - 1us);
    world.engine().raise_event(one, "e", Text("event"), {}, [](const Result<Accepted>&) {});
    world.executor().run(Lane::orchestrator);
    world.clock().advance(1us);
    world.pass(1s);
    CHECK(world.result(one) == "event");
  }
  SUBCASE("the event was accepted at the timer's due time") {
    world.clock().advance(5s);
    world.event(one, "e", "event");
    CHECK(world.result(one) == "timer");
    CHECK(world.status(one).state.unread.size() == 1);
  }
}

TEST_CASE("S2, S11: the same for a run that is not in memory while both come due") {
  std::function<Text(Context&, const Text&)> code = [](Context& ctx, const Text&) {
    auto until = ctx.create_timer(5s);
    const auto event = ctx.wait_for_event<Text>("e", until);
    return event ? event->value : Text("timer");
  };
  auto world = world_of(code);
  world.start(one, "");
  world.set_registration([](Registry&) {});
  world.crash();  // an open that lacks the code: all waits
  SUBCASE("the event first") {
    world.pass(5s - 1us);
    world.event(one, "e", "event");
    world.pass(1h);
  }
  SUBCASE("the timer first") {
    world.pass(5s);
    world.event(one, "e", "event");
  }
  const bool event_first = world.status(one).state.backlog.size() == 1 &&
                           world.status(one).state.unread.front().accepted_at < world.status(one).state.timers[0].due;
  world.set_registration([code](Registry& registry) { registry.orchestrator("it", code); });
  world.crash();
  world.settle();
  CHECK(world.result(one) == (event_first ? "event" : "timer"));
}

TEST_CASE("S2, S5: an unbounded wait beside a timer: a timer that is due by an event's acceptance goes first") {
  std::function<Text(Context&, const Text&)> code = [](Context& ctx, const Text&) {
    auto event = ctx.expect_event<Text>("e");
    auto timer = ctx.create_timer(5s);
    return Text(ctx.when_any({&event, &timer}) == 0 ? "event" : "timer");
  };
  auto world = world_of(code);
  world.start(one, "");
  bool in_memory = false;
  SUBCASE("in memory") { in_memory = true; }
  SUBCASE("not in memory") {
    world.set_registration([](Registry&) {});
    world.crash();
  }
  world.clock().advance(5s);
  world.event(one, "e", "late");
  if (!in_memory) {
    world.set_registration([code](Registry& registry) { registry.orchestrator("it", code); });
    world.crash();
    world.settle();
  }
  CHECK(world.result(one) == "timer");
}

TEST_CASE("S5, S11: a long backlog behind a window's end: every event accepted before it is in the window") {
  std::function<Text(Context&, const Text&)> code = [](Context& ctx, const Text&) {
    auto until = ctx.create_timer(5s);
    int count = 0;
    while (ctx.wait_for_event<Text>("e", until)) ++count;
    return std::to_string(count);
  };
  auto world = world_of(code);
  world.start(one, "");
  world.set_registration([](Registry&) {});
  world.crash();
  for (int i = 0; i < 300; ++i) world.event(one, "e", "before");
  world.pass(5s);
  world.event(one, "e", "after");
  world.set_registration([code](Registry& registry) { registry.orchestrator("it", code); });
  world.crash();
  world.settle();
  CHECK(world.result(one) == "300");
  CHECK(world.status(one).state.unread.size() == 1);
}

TEST_CASE("S11: a bounded wait takes what was buffered before its timer's due time, and leaves what was not") {
  auto world = world_of([](Context& ctx, const Text&) {
    const auto start = ctx.now();
    ctx.wait_for_event<Text>("go");
    auto early = ctx.create_timer_at(start + 2s);
    Text log;
    while (auto event = ctx.wait_for_event<Text>("e", early)) log += event->value;
    auto late = ctx.create_timer_at(start + 4s);
    log += "|";
    while (auto event = ctx.wait_for_event<Text>("e", late)) log += event->value;
    return log;
  });
  world.start(one, "");
  world.pass(1s);
  world.event(one, "e", "1");
  world.pass(1s);
  world.event(one, "e", "2");
  world.pass(1s);
  world.event(one, "e", "3");
  world.pass(7s);
  world.event(one, "go", "");
  world.settle();
  CHECK(world.result(one) == "1|23");
}

TEST_CASE("S11: a wait bounded by a fired timer times out at once, one by a cancelled timer is refused") {
  auto world = world_of([](Context& ctx, const Text&) {
    auto fired = ctx.create_timer(1s);
    fired.wait();
    Text log = ctx.wait_for_event<Text>("e", fired) ? "event " : "timed-out ";
    auto cancelled = ctx.create_timer(1s);
    cancelled.cancel();
    try {
      ctx.wait_for_event<Text>("e", cancelled);
    } catch (const InvalidArgument&) {
      log += "refused";
    }
    return log;
  });
  world.start(one, "");
  world.pass(1s);
  CHECK(world.result(one) == "timed-out refused");
}

TEST_CASE("S11: events of other names do not reach a waiter, and keep their order") {
  auto world = world_of([](Context& ctx, const Text&) {
    const auto b = ctx.wait_for_event<Text>("b").value;
    const auto a1 = ctx.wait_for_event<Text>("a").value;
    const auto a2 = ctx.wait_for_event<Text>("a").value;
    return b + a1 + a2;
  });
  world.start(one, "");
  world.event(one, "a", "1");
  world.event(one, "a", "2");
  CHECK(world.status(one).state.live());
  world.event(one, "b", "x");
  CHECK(world.result(one) == "x12");
}

TEST_CASE(
    "S5, S9: a timer that the start makes and that is due at once goes before the event that came with the start") {
  auto world = world_of([](Context& ctx, const Text&) {
    auto timer = ctx.create_timer(Duration::zero());
    auto event = ctx.expect_event<Text>("e");
    const auto first = ctx.when_any({&event, &timer});
    return (first == 1 ? "timer " : "event ") + event.get().value + ctx.wait_for_event<Text>("f").value;
  });
  CHECK(world.event_with_start(one, "", "e", "a").value.how == Acceptance::started);
  SUBCASE("in memory") {}
  SUBCASE("replayed") { world.crash(); }
  world.event(one, "f", "!");
  CHECK(world.result(one) == "timer a!");
}
