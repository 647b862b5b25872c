// Child fibers, when_any and when_all (S3).
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

using namespace bobbin;
using namespace bobbin::testing;
using namespace std::chrono_literals;

namespace {

using Text = std::string;
const InstanceName key{"it", "k"};

std::function<void(Registry&)> code_of(std::function<Text(Context&, const Text&)> code) {
  return [code](Registry& registry) {
    registry.orchestrator("it", code);
    registry.activity("echo", [](const ActivityContext&, const Text& value) { return "<" + value + ">"; });
    registry.activity("fail", [](const ActivityContext&, const Text& value) -> Text {
      throw ApplicationError("failed " + value, value);
    });
  };
}

Text run(std::function<Text(Context&, const Text&)> code) {
  World world(code_of(std::move(code)));
  world.start(key, "");
  world.run_to_rest();
  world.pass(1h);
  world.run_to_rest();
  return world.result(key);
}

}  // namespace

TEST_CASE("S3: child fibers run first in, first out, and not before their parent waits") {
  CHECK(run([](Context& ctx, const Text&) {
          Text log;
          std::vector<Fiber<Nothing>> children;
          for (char name = 'a'; name < 'e'; ++name)
            children.push_back(ctx.spawn([&ctx, &log, name] {
              log += name;
              ctx.create_timer(1s).wait();
              log += static_cast<char>(name - 'a' + 'A');
              return Nothing{};
            }));
          log += '.';
          for (auto& child : children) child.join();
          return log;
        }) == ".abcdABCD");
}

TEST_CASE("Child fibers: join returns what the function returned, or throws what it threw") {
  CHECK(run([](Context& ctx, const Text&) {
          auto good = ctx.spawn([&ctx] { return ctx.call_activity<Text>("echo", Text("x")); });
          auto bad = ctx.spawn([&ctx] { return ctx.call_activity<Text>("fail", Text("y")); });
          auto nothing = ctx.spawn([] {});
          Text log = good.join();
          nothing.join();
          try {
            bad.join();
          } catch (const ApplicationError& error) {
            log += error.type();
          }
          return log;
        }) == "<x>failed y");
}

TEST_CASE("Child fibers: a cancelled child is unwound, and joining it throws Cancelled") {
  CHECK(run([](Context& ctx, const Text&) {
          Text log;
          struct Guard {
            Text& log;
            ~Guard() { log += "unwound "; }
          };
          auto child = ctx.spawn([&] {
            const Guard guard{log};
            ctx.wait_for_event<Text>("never");
          });
          ctx.create_timer(1s).wait();
          child.cancel();
          ctx.create_timer(1s).wait();
          try {
            child.join();
          } catch (const Cancelled&) {
            log += "cancelled";
          }
          return log;
        }) == "unwound cancelled");
}

TEST_CASE("Child fibers: one that was cancelled before it ran never runs") {
  CHECK(run([](Context& ctx, const Text&) {
          Text log;
          {
            auto child = ctx.spawn([&log] { log += "ran"; });
          }
          ctx.create_timer(1s).wait();
          return log + ".";
        }) == ".");
}

TEST_CASE("Child fibers of children, and many of them") {
  CHECK(run([](Context& ctx, const Text&) {
          std::function<int(int)> count = [&](int depth) -> int {
            if (depth == 0) {
              ctx.create_timer(1s).wait();
              return 1;
            }
            std::vector<Fiber<int>> children;
            for (int i = 0; i < 3; ++i) children.push_back(ctx.spawn([&count, depth] { return count(depth - 1); }));
            int sum = 1;
            for (auto& child : children) sum += child.join();
            return sum;
          };
          return std::to_string(count(4));
        }) == "121");
}

TEST_CASE(
    "Child fibers: at most 1,000 at a time; what is asked beyond that is refused, and there is room when some end") {
  CHECK(run([](Context& ctx, const Text&) {
          const auto child = [&ctx] {
            return ctx.spawn([&ctx] {
              ctx.create_timer(1s).wait();
              return Nothing{};
            });
          };
          std::vector<Fiber<Nothing>> children;
          for (int i = 0; i < 1'000; ++i) children.push_back(child());
          Text refused;
          try {
            child();
          } catch (const InvalidArgument& error) {
            refused = error.what();
          }
          for (auto& one : children) one.join();
          children.clear();
          child().join();
          return refused.substr(0, refused.find(" child fibers"));
        }) == "an instance of 'it' has 1000");
}

TEST_CASE("when_any: index of the first that is ready, by list and by container") {
  CHECK(run([](Context& ctx, const Text&) {
          auto slow = ctx.create_timer(2s);
          auto fast = ctx.create_timer(1s);
          auto activity = ctx.schedule_activity<Text>("echo", Text("x"));
          Text log = std::to_string(ctx.when_any({&slow, &fast, &activity}));
          log += std::to_string(ctx.when_any({&slow, &fast}));
          std::vector<Timer> timers;
          for (const auto length : {9s, 3s, 6s}) timers.push_back(ctx.create_timer(length));
          std::vector<const Awaitable*> pointers;
          for (const auto& timer : timers) pointers.push_back(&timer);
          log += std::to_string(ctx.when_any(pointers));
          log += std::to_string(ctx.when_any(pointers));  // still ready
          return log + activity.get();
        }) == "2111<x>");
}

TEST_CASE("when_any: of an event and a timer, whichever comes first; of none: refused") {
  World world(code_of([](Context& ctx, const Text&) {
    Text log;
    for (int i = 0; i < 2; ++i) {
      auto event = ctx.expect_event<Text>("e");
      auto timer = ctx.create_timer(1s);
      log += ctx.when_any({&event, &timer}) == 0 ? event.get().value : Text("timer");
    }
    try {
      ctx.when_any({});
    } catch (const InvalidArgument&) {
      log += " refused";
    }
    return log;
  }));
  world.start(key, "");
  world.pass(1s);
  world.event(key, "e", "event");
  CHECK(world.result(key) == "timerevent refused");
}

TEST_CASE("when_all: waits for every one, by list and by container; of none: at once") {
  CHECK(run([](Context& ctx, const Text&) {
          const auto start = ctx.now();
          std::vector<Activity<Text>> activities;
          for (const auto* value : {"a", "b", "c"})
            activities.push_back(ctx.schedule_activity<Text>("echo", Text(value)));
          std::vector<const Awaitable*> all;
          for (const auto& activity : activities) all.push_back(&activity);
          ctx.when_all(all);
          ctx.when_all({});
          Text log;
          for (const auto& activity : activities) log += activity.ready() ? activity.get() : Text("?");
          auto first = ctx.create_timer(1s);
          auto second = ctx.create_timer(3s);
          ctx.when_all({&first, &second});
          return log + std::to_string((ctx.now() - start) / 1s);
        }) == "<a><b><c>3");
}

TEST_CASE("when_all does not throw for a failed activity; its get does") {
  CHECK(run([](Context& ctx, const Text&) {
          auto good = ctx.schedule_activity<Text>("echo", Text("x"));
          auto bad = ctx.schedule_activity<Text>("fail", Text("y"));
          ctx.when_all({&good, &bad});
          try {
            return bad.get();
          } catch (const ApplicationError& error) {
            return good.get() + error.type();
          }
        }) == "<x>failed y");
}
