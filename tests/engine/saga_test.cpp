// Exceptions that are being handled while their fiber waits (design section 4).
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

// Fails, and undoes what it did while it handles that failure: awaits inside nested catch blocks, then rethrows.
Text saga(Context& ctx, const Text& name) {
  try {
    try {
      ctx.call_activity<Text>("fail", name);
    } catch (const ApplicationError&) {
      ctx.call_activity<Text>("echo", Text("undo"));
      try {
        ctx.call_activity<Text>("fail", name + "'s undoing");
      } catch (const ApplicationError&) {
        ctx.create_timer(1s).wait();
        throw;  // the inner one
      }
    }
  } catch (const ApplicationError& inner) {
    if (inner.type() != "failed " + name + "'s undoing") return "wrong inner: " + inner.type();
    ctx.wait_for_event<Text>("go");
    try {
      throw;
    } catch (const ApplicationError& again) {
      if (again.type() != inner.type()) return "wrong again: " + again.type();
      ctx.create_timer(1s).wait();
    }
    throw ApplicationError("of " + name, inner.info().message);
  }
  return "not reached";
}

}  // namespace

TEST_CASE("A saga that awaits in nested catch rethrows its own exceptions: 100 instances, interleaved") {
  World world(code_of(saga));
  std::vector<InstanceName> names;
  for (int i = 0; i < 100; ++i) names.push_back({"it", "saga" + std::to_string(i)});
  const auto ignore = [](const Result<Accepted>&) {};
  for (const auto& name : names) world.engine().start(name, name.key, {}, ignore);
  world.run_to_rest();
  world.pass(1s);
  world.run_to_rest();
  for (const auto& name : names) world.engine().raise_event(name, "go", Text(), {}, ignore);
  world.settle();
  world.pass(1s);
  for (const auto& name : names) {
    const auto state = world.status(name).state;
    CHECK(state.status == RunStatus::failed);
    CHECK(state.error.type == "of " + name.key);
    CHECK(state.error.message == name.key + "'s undoing");
  }
}

TEST_CASE("A saga that awaits in nested catch rethrows its own exceptions: 100 fibers of one instance") {
  World world(code_of([](Context& ctx, const Text&) {
    std::vector<Fiber<Text>> fibers;
    for (int i = 0; i < 100; ++i) fibers.push_back(ctx.spawn([&ctx, i] { return saga(ctx, std::to_string(i)); }));
    int own = 0;
    for (int i = 0; i < 100; ++i) try {
        fibers[static_cast<std::size_t>(i)].join();
      } catch (const ApplicationError& error) {
        own += error.type() == "of " + std::to_string(i);
      }
    return std::to_string(own);
  }));
  world.start(key, "");
  world.run_to_rest();
  world.pass(1s);
  for (int i = 0; i < 100; ++i) world.event(key, "go", "");
  world.pass(1s);
  CHECK(world.result(key) == "100");
}
