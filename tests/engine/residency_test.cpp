// Eviction and loading: memory is bounded, and nobody notices (S19, design section 5).
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#endif

using namespace bobbin;
using namespace bobbin::testing;
using namespace std::chrono_literals;

namespace {

using Text = std::string;

World small_world(std::function<Text(Context&, const Text&)> code) {
  EngineOptions options;
  options.resident_instances = 1;
  return World([code](Registry& registry) { registry.orchestrator("it", code); }, options);
}

}  // namespace

TEST_CASE("A resident run with work of its own lets the others go on behind it") {
  auto world = small_world([](Context& ctx, const Text&) {
    ctx.wait_for_event<Text>("go");
    ctx.create_timer(Duration::zero()).wait();  // leaves the run in memory with a turn to come
    return Text("done");
  });
  const InstanceName a{"it", "a"}, b{"it", "b"};
  world.start(b, "");
  world.start(a, "");  // evicts b
  const auto ignore = [](const Result<Accepted>&) {};
  world.engine().raise_event(b, "go", Text(), {}, ignore);
  world.engine().raise_event(a, "go", Text(), {}, ignore);
  world.pass(1s);
  CHECK(world.result(a) == "done");
  CHECK(world.result(b) == "done");
}

TEST_CASE("A run leaves memory only when its last record is durable") {
  auto world = small_world([](Context& ctx, const Text&) { return ctx.wait_for_event<Text>("e").value; });
  const InstanceName a{"it", "a"}, b{"it", "b"};
  World::Answer<Accepted> first, second;
  world.engine().start(a, Text(), {}, first.callback());
  world.engine().start(b, Text(), {}, second.callback());
  world.executor().run(Lane::orchestrator);
  CHECK(world.engine().stats().evictions == 0);  // b waits for a's commit
  CHECK(world.engine().stats().resident == 1);
  world.settle();
  CHECK(world.engine().stats().evictions == 1);
  CHECK(second.get().value.how == Acceptance::started);
  world.event(a, "e", "1");
  world.event(b, "e", "2");
  CHECK(world.result(a) == "1");
  CHECK(world.result(b) == "2");
  CHECK(world.engine().stats().resident == 0);
}

TEST_CASE("S19: eviction runs destructors, but decides nothing") {
  int destroyed = 0;
  struct Guard {
    int& count;
    ~Guard() { ++count; }
  };
  auto world = small_world([&destroyed](Context& ctx, const Text&) {
    const Guard guard{destroyed};
    auto timer = ctx.create_timer(1h);
    auto activity = ctx.schedule_activity<Text>("absent", Text());
    auto other = ctx.expect_event<Text>("other");
    auto child = ctx.spawn([&ctx] { ctx.wait_for_event<Text>("child"); });
    return ctx.wait_for_event<Text>("e").value;
  });
  const InstanceName a{"it", "a"}, b{"it", "b"};
  world.start(a, "");
  const auto before = world.status(a).state;
  world.start(b, "");
  CHECK(world.engine().stats().evictions == 1);
  CHECK(destroyed == 1);
  const auto after = world.status(a).state;
  CHECK(after.lsn == before.lsn);
  CHECK(after.timers.size() == 1);
  CHECK(after.activities.size() == 1);
  world.event(a, "e", "still there");
  CHECK(world.result(a) == "still there");
}

TEST_CASE("S19: what is unwound at the end of a run decides nothing either") {
  World world([](Registry& registry) {
    registry.orchestrator("it", [](Context& ctx, const Text&) {
      // A child that holds its own handle: nobody cancels it before the run ends.
      auto self = std::make_shared<std::optional<Fiber<Nothing>>>();
      *self = ctx.spawn([&ctx, self] {
        auto timer = ctx.create_timer(1h);
        timer.wait();
        return Nothing{};
      });
      return ctx.wait_for_event<Text>("e").value;
    });
  });
  world.start({"it", "k"}, "");
  CHECK(world.status({"it", "k"}).state.timers.size() == 1);
  world.event({"it", "k"}, "e", "done");
  CHECK(world.result({"it", "k"}) == "done");
  const auto records = world.records();
  const auto& last = std::get<TurnBody>(records.back().body);
  REQUIRE(last.end);
  CHECK(last.decisions.size() == 1);  // the event taken
}

TEST_CASE("S19: a fiber that swallows the unwinding is parked after 100 throws, reported, and the engine goes on") {
#if defined(__SANITIZE_ADDRESS__)
  const __lsan::ScopedDisabler memory_is_given_up;  // that of the parked fibers
#endif
  int caught = 0;
  std::vector<Text> lines;
  EngineOptions options;
  options.resident_instances = 1;
  options.log = [&lines](LogLevel level, const Text& line) {
    if (level == LogLevel::error) lines.push_back(line);
  };
  World world(
      [&caught](Registry& registry) {
        registry.orchestrator("greedy", [&caught](Context& ctx, const Text&) {
          for (;;) {
            try {
              ctx.wait_for_event<Text>("e");
            } catch (...) {
              ++caught;
            }
          }
          return Text();
        });
        registry.orchestrator("it", [](Context& ctx, const Text&) { return ctx.wait_for_event<Text>("e").value; });
      },
      options);
  const InstanceName greedy{"greedy", "k"}, it{"it", "k"};
  world.start(greedy, "");
  world.start(it, "");
  CHECK(caught == 100);
  CHECK(world.engine().stats().parked_for_good == 1);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].find("greedy") != Text::npos);
  world.event(it, "e", "goes on");
  CHECK(world.result(it) == "goes on");
  world.event(greedy, "e", "x");
  CHECK(world.status(greedy).state.unread.empty());
  world.close();
  CHECK(caught == 200);
}

TEST_CASE("S19: destroying a handle whose work is pending cancels it, and that is recorded") {
  EngineOptions options;
  World world(
      [](Registry& registry) {
        registry.orchestrator("it", [](Context& ctx, const Text&) {
          {
            auto timer = ctx.create_timer(1h);
            auto activity = ctx.schedule_activity<Text>("do", Text());
            auto wait = ctx.expect_event<Text>("other");
            ctx.wait_for_event<Text>("go");
          }
          return ctx.wait_for_event<Text>("e").value;
        });
        registry.activity("do", [](const ActivityContext&, const Text&) { return Text(); });
      },
      options);
  const InstanceName it{"it", "k"};
  world.start(it, "");
  REQUIRE(world.runner().tasks.size() == 1);
  world.event(it, "go", "");
  CHECK(world.runner().tasks.front().context.cancellation.cancelled());
  const auto state = world.status(it).state;
  CHECK(state.timers.empty());
  CHECK(state.activities.empty());
  const auto records = world.records();
  const auto& decisions = std::get<TurnBody>(records.back().body).decisions;
  REQUIRE(decisions.size() == 4);  // the event taken, then in reverse order of construction
  CHECK(std::holds_alternative<EventTaken>(decisions[0]));
  CHECK(std::holds_alternative<WaitCancelled>(decisions[1]));
  CHECK(std::holds_alternative<ActivityCancelled>(decisions[2]));
  CHECK(std::holds_alternative<TimerCancelled>(decisions[3]));
  world.end_activity({encode(Text("late")), {}});
  CHECK(world.engine().stats().late_inputs == 1);
  world.pass(2h);
  world.event(it, "e", "done");
  CHECK(world.result(it) == "done");
}

TEST_CASE("S19: awaiting cancelled work throws Cancelled") {
  World world([](Registry& registry) {
    registry.orchestrator("it", [](Context& ctx, const Text&) {
      auto timer = ctx.create_timer(1h);
      timer.cancel();
      Text log;
      try {
        timer.wait();
      } catch (const Cancelled&) {
        log += "timer ";
      }
      auto wait = ctx.expect_event<Text>("e");
      wait.cancel();
      try {
        wait.get();
      } catch (const Cancelled&) {
        log += "wait";
      }
      return log;
    });
  });
  world.start({"it", "k"}, "");
  CHECK(world.result({"it", "k"}) == "timer wait");
}

TEST_CASE("S25: when very many timers are due at once, their instances come into memory by and by") {
  constexpr std::uint64_t many = 3'000;
  EngineOptions options;
  options.resident_instances = 4;
  options.checkpoint_age_records = 20;
  World world(
      [](Registry& registry) {
        registry.orchestrator("it", [](Context& ctx, const Text&) {
          ctx.create_timer(1h).wait();
          return Text("done");
        });
      },
      options);
  for (std::uint64_t i = 0; i < many; ++i) world.start({"it", std::to_string(i)}, "");
  world.crash();
  world.settle();
  world.clock().advance(2h);
  world.executor().wake(Lane::orchestrator);
  std::uint64_t most = 0;
  while (world.executor().run_one()) most = std::max(most, world.engine().stats().in_memory);
  CHECK(most < many / 4);
  for (std::uint64_t i = 0; i < many; ++i) CHECK(world.result({"it", std::to_string(i)}) == "done");
}

TEST_CASE("S25: outcomes of activities go before requests that came first") {
  World world([](Registry& registry) {
    registry.orchestrator("it",
                          [](Context& ctx, const Text&) { return ctx.schedule_activity<Text>("act", Text()).get(); });
    registry.activity("act", [](const ActivityContext&, const Text&) { return Text("acted"); });
  });
  world.start({"it", "k"}, "");
  constexpr int ahead = 1'000;
  for (int i = 0; i < ahead; ++i)
    world.engine().raise_event({"it", "other"}, "e", Text(), {}, [](const Result<Accepted>&) {});
  REQUIRE(world.runner().tasks.size() == 1);
  world.runner().tasks.front().done({encode(Text("acted")), {}});
  world.executor().run(Lane::orchestrator);
  world.executor().run(Lane::writer);
  const auto records = world.records();
  const auto is_event = [](const Record& record) { return std::holds_alternative<AcceptedBody>(record.body); };
  CHECK(std::count_if(records.begin(), records.end(), is_event) < ahead);
  const auto has_ended = [](const Record& record) {
    const auto* turn = std::get_if<TurnBody>(&record.body);
    return turn && turn->end;
  };
  CHECK(std::count_if(records.begin(), records.end(), has_ended) == 1);
  world.settle();
}
