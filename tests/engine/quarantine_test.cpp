// A whole engine whose code changes, is missing, or throws (S15 to S18).
#include "tests/support/log_audit.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

using namespace bobbin;
using namespace bobbin::testing;
using namespace std::chrono_literals;

namespace {

using Text = std::string;
const InstanceName key{"it", "k"};

// Takes events "e" and does `activity` with each, until one says "stop".
std::function<void(Registry&)> version(const Text& activity, const Text& prefix = {}) {
  return [activity, prefix](Registry& registry) {
    registry.orchestrator("it", [activity, prefix](Context& ctx, const Text&) {
      Text log;
      for (;;) {
        const auto value = ctx.wait_for_event<Text>("e").value;
        if (value == "stop") return log;
        log += ctx.call_activity<Text>(activity, prefix + value);
      }
    });
    for (const auto* name : {"old", "new"})
      registry.activity(name, [](const ActivityContext&, const Text& value) { return "<" + value + ">"; });
  };
}

const QuarantineBody* last_quarantine(const std::vector<Record>& records) {
  const QuarantineBody* last = nullptr;
  for (const auto& record : records)
    if (const auto* body = std::get_if<QuarantineBody>(&record.body)) last = body;
  return last;
}

}  // namespace

TEST_CASE("S16: code changed at a restart: quarantined, events queue, and the old code takes it out again") {
  World world(version("old"));
  world.start(key, "");
  world.event(key, "e", "a");
  world.run_to_rest();

  world.set_registration(version("new"));
  world.crash();
  world.event(key, "e", "b");
  auto state = world.status(key).state;
  CHECK(state.live());
  CHECK(state.quarantined);
  CHECK(world.engine().stats().quarantined == 1);
  auto records = world.records();
  REQUIRE(last_quarantine(records));
  CHECK(last_quarantine(records)->turn == 3);
  CHECK(last_quarantine(records)->expected.find("'old'") != Text::npos);
  CHECK(last_quarantine(records)->found.find("'new'") != Text::npos);
  CHECK(world.event(key, "e", "c").value.how == Acceptance::appended);
  world.pass(1h);
  world.run_to_rest();
  state = world.status(key).state;
  CHECK(state.unread.size() == 2);
  CHECK(state.backlog.size() == 2);

  world.crash();  // still the new code: still in quarantine, and not recorded again
  world.settle();
  CHECK(world.status(key).state.quarantined);
  std::size_t quarantines = 0;
  for (const auto& record : world.records()) quarantines += std::holds_alternative<QuarantineBody>(record.body);
  CHECK(quarantines == 1);

  world.set_registration(version("old"));
  world.crash();
  world.run_to_rest();
  CHECK(!world.status(key).state.quarantined);
  records = world.records();
  CHECK(last_quarantine(records)->released);
  world.event(key, "e", "stop");
  CHECK(world.result(key) == "<a><b><c>");
  CHECK(LogAudit(world.records()).violations.empty());
}

TEST_CASE("S16: a quarantined run holds its timers, and can be terminated with its events carried on") {
  World world([](Registry& registry) {
    registry.orchestrator("it", [](Context& ctx, const Text&) {
      auto timer = ctx.create_timer(1h);
      return ctx.wait_for_event<Text>("e", timer) ? Text("event") : Text("timer");
    });
  });
  world.start(key, "");
  world.set_registration([](Registry& registry) {
    registry.orchestrator("it", [](Context& ctx, const Text&) {
      auto timer = ctx.create_timer(2h);
      return ctx.wait_for_event<Text>("e", timer) ? Text("event") : Text("timer");
    });
  });
  world.crash();
  world.pass(5h);
  CHECK(world.status(key).state.quarantined);
  CHECK(world.status(key).state.timers.size() == 1);
  world.event_with_start(key, "", "e", "x");
  CHECK(world.status(key).state.unread.size() == 1);
  world.terminate(key);
  world.settle();
  const auto state = world.status(key).state;
  CHECK(!state.quarantined);
  CHECK(state.run_number == 2);
  CHECK(world.result(key) == "event");  // the successor runs the new code
}

TEST_CASE("S15: a changed payload quarantines in strict mode, and is counted and logged otherwise") {
  std::vector<Text> warnings;
  EngineOptions options;
  options.log = [&warnings](LogLevel level, const Text& line) {
    if (level == LogLevel::warning) warnings.push_back(line);
  };
  World world(version("old"), options);
  world.start(key, "");
  world.event(key, "e", "a");
  world.run_to_rest();
  world.set_registration(version("old", "changed "));
  bool strict = false;
  SUBCASE("strict") { strict = true; }
  SUBCASE("not strict") { strict = false; }
  world.options().strict_replay = strict;
  world.crash();
  world.event(key, "e", "stop");
  CHECK(world.status(key).state.quarantined == strict);
  CHECK(world.engine().stats().payload_differences == 1);
  CHECK(!warnings.empty());
  if (!strict) CHECK(world.result(key) == "<a>");
}

TEST_CASE("S17: an unregistered orchestrator waits for an open whose registry has it, counted and warned about") {
  World world(version("old"));
  world.start(key, "");
  world.set_registration([](Registry&) {});
  std::size_t warnings = 0;
  world.options().log = [&warnings](LogLevel level, const Text&) { warnings += level == LogLevel::warning; };
  world.crash();
  CHECK(world.event(key, "e", "a").value.how == Acceptance::appended);
  CHECK(world.event(key, "e", "stop").value.how == Acceptance::appended);
  auto state = world.status(key).state;
  CHECK(state.live());
  CHECK(!state.quarantined);
  CHECK(world.engine().stats().unregistered == 1);
  CHECK(warnings == 1);
  world.set_registration(version("old"));
  world.crash();
  world.run_to_rest();
  CHECK(world.result(key) == "<a>");
}

TEST_CASE("S17: an unregistered activity waits for an open whose registry has it") {
  World world([](Registry& registry) {
    registry.orchestrator("it", [](Context& ctx, const Text&) { return ctx.call_activity<Text>("old", Text("x")); });
  });
  world.start(key, "");
  world.pass(1h);
  CHECK(world.runner().tasks.empty());
  CHECK(world.status(key).state.live());
  CHECK(world.engine().stats().unregistered == 1);
  world.set_registration([](Registry& registry) {
    version("new")(registry);  // has the activity
  });
  world.set_registration([](Registry& registry) {
    registry.orchestrator("it", [](Context& ctx, const Text&) { return ctx.call_activity<Text>("old", Text("x")); });
    registry.activity("old", [](const ActivityContext&, const Text& value) { return "<" + value + ">"; });
  });
  world.crash();
  world.run_to_rest();
  CHECK(world.result(key) == "<x>");
}

namespace {

struct Foreign {  // an exception class that knows nothing of std::exception, as another library's may be
  int code;
};

[[noreturn]] void throw_as(const Text& kind) {
  if (kind == "application") throw ApplicationError("Mine", "told so");
  if (kind == "std") throw std::out_of_range("beyond the end");
  if (kind == "int") throw 42;
  if (kind == "foreign") throw Foreign{7};
  if (kind == "text") throw "a literal";
  if (kind == "empty error") throw Error(ErrorInfo{});
  throw Cancelled("as if cancelled");
}

}  // namespace

TEST_CASE("S18: whatever the user's code throws ends the run as failed, with type and message") {
  const std::vector<std::pair<Text, Text>> kinds{{"application", "Mine"}, {"std", "out_of_range"}, {"int", "int"},
                                                 {"foreign", "Foreign"},  {"text", "char const*"}, {"cancelled", ""},
                                                 {"empty error", ""}};
  const auto registration = [](Registry& registry) {
    registry.orchestrator("it", [](Context&, const Text& kind) -> Text { throw_as(kind); });
    registry.orchestrator("in_fiber", [](Context& ctx, const Text& kind) {
      auto fiber = ctx.spawn([&kind]() -> Text { throw_as(kind); });
      return fiber.join();
    });
    registry.orchestrator("in_activity",
                          [](Context& ctx, const Text& kind) { return ctx.call_activity<Text>("throws", kind); });
    registry.activity("throws", [](const ActivityContext&, const Text& kind) -> Text { throw_as(kind); });
  };
  World world(registration);
  for (const auto& [kind, type] : kinds)
    for (const auto* orchestrator : {"it", "in_fiber", "in_activity"}) {
      CAPTURE(kind);
      CAPTURE(orchestrator);
      const InstanceName name{orchestrator, kind};
      world.start(name, kind);
      world.run_to_rest();
      const auto state = world.status(name).state;
      CHECK(state.status == RunStatus::failed);
      CHECK(state.error.type.find(type) != Text::npos);
      CHECK(state.error.code != ErrorCode::none);
    }
  CHECK(world.status({"it", "std"}).state.error.message == "beyond the end");
  CHECK(world.status({"in_activity", "application"}).state.error.message == "told so");
}

TEST_CASE("S18: an input of the wrong type fails the run, not the process") {
  World world([](Registry& registry) {
    registry.orchestrator("it", [](Context& ctx, const Text&) {
      ctx.wait_for_event<Nothing>("any");
      return ctx.wait_for_event<Text>("e").value;
    });
  });
  world.start(key, "");
  World::Answer<Accepted> answer;
  world.engine().raise_event(key, "any", Nothing{}, {}, answer.callback());
  world.engine().raise_event(key, "e", Nothing{}, {}, answer.callback());
  world.settle();
  const auto state = world.status(key).state;
  CHECK(state.status == RunStatus::failed);
  CHECK(state.error.code == ErrorCode::invalid_argument);
}
