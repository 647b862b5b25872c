// Misuse by an author or a host is told, not a race or a crash (S20).
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <thread>

using namespace bobbin;
using namespace bobbin::testing;
using namespace std::chrono_literals;

namespace {

using Text = std::string;
const InstanceName key{"it", "k"};

std::function<void(Registry&)> code_of(std::function<Text(Context&, const Text&)> code) {
  return [code](Registry& registry) { registry.orchestrator("it", code); };
}

}  // namespace

TEST_CASE("S20: a context used from another thread, from outside, or by another instance is refused") {
  Context* leaked = nullptr;
  World world([&leaked](Registry& registry) {
    registry.orchestrator("owner", [&leaked](Context& ctx, const Text&) {
      leaked = &ctx;
      Text thread = "ran";
      std::thread([&ctx, &thread] {
        try {
          ctx.create_timer(1s);
        } catch (const InvalidArgument&) {
          thread = "refused";
        }
      }).join();
      return thread + ctx.wait_for_event<Text>("e").value;
    });
    registry.orchestrator("stranger", [&leaked](Context&, const Text&) {
      try {
        leaked->create_timer(1s);
      } catch (const InvalidArgument&) {
        return Text("refused");
      }
      return Text("ran");
    });
  });
  world.options().resident_instances = 2;
  world.crash();
  world.start({"owner", "k"}, "");
  REQUIRE(leaked != nullptr);
  CHECK_THROWS_AS(leaked->create_timer(1s), InvalidArgument);
  world.start({"stranger", "k"}, "");
  CHECK(world.result({"stranger", "k"}) == "refused");
  world.event({"owner", "k"}, "e", "!");
  CHECK(world.result({"owner", "k"}) == "refused!");
}

TEST_CASE("S20: a blocking call on a lane of the engine is refused") {
  Engine* engine = nullptr;
  Text from_orchestrator, from_callback;
  const auto attempt = [&engine](Text& outcome) {
    try {
      engine->status(key);
      outcome = "waited";
    } catch (const InvalidArgument&) {
      outcome = "refused";
    }
  };
  World world(code_of([&](Context&, const Text&) {
    attempt(from_orchestrator);
    return Text();
  }));
  engine = &world.engine();
  engine->start(key, Text(), {}, [&](const Result<Accepted>&) { attempt(from_callback); });
  world.settle();
  CHECK(from_orchestrator == "refused");
  CHECK(from_callback == "refused");
}

TEST_CASE("Impossible retry policies and names of activities are refused where they are given") {
  World world(code_of([](Context& ctx, const Text&) {
    int refused = 0;
    const auto attempt = [&](const Text& name, auto change) {
      ActivityOptions options;
      change(options.retry);
      try {
        ctx.schedule_activity<Text>(name, Text(), options);
      } catch (const InvalidArgument&) {
        ++refused;
      }
    };
    attempt("", [](RetryPolicy&) {});
    attempt(Text(129, 'a'), [](RetryPolicy&) {});
    attempt("echo", [](RetryPolicy& retry) { retry.factor = 0.5; });
    attempt("echo", [](RetryPolicy& retry) { retry.factor = std::nan(""); });
    attempt("echo", [](RetryPolicy& retry) { retry.jitter = 1.5; });
    attempt("echo", [](RetryPolicy& retry) { retry.jitter = -0.5; });
    attempt("echo", [](RetryPolicy& retry) { retry.first_delay = Duration(-1); });
    attempt("echo", [](RetryPolicy& retry) { retry.cap = Duration(-1); });
    return std::to_string(refused);
  }));
  world.start(key, "");
  CHECK(world.result(key) == "8");
}
