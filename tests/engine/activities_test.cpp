// Attempts, idempotency keys, retries (S21 to S23, P6).
#include "tests/support/log_audit.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>
#include <sodium.h>

#include <set>

using namespace bobbin;
using namespace bobbin::testing;
using namespace std::chrono_literals;

namespace {

using Text = std::string;
const InstanceName key{"it", "k"};

std::function<void(Registry&)> calling(ActivityOptions options) {
  return [options](Registry& registry) {
    registry.orchestrator(
        "it", [options](Context& ctx, const Text& input) { return ctx.call_activity<Text>("do", input, options); });
    registry.orchestrator("twice", [options](Context& ctx, const Text& input) {
      auto a = ctx.schedule_activity<Text>("do", input, options);
      auto b = ctx.schedule_activity<Text>("do", input, options);
      return a.get() + b.get();
    });
    registry.activity("do", [](const ActivityContext&, const Text& value) { return "<" + value + ">"; });
  };
}

ActivityOptions retrying(std::uint32_t attempts, Duration first = 1s, double factor = 2, Duration cap = 1min,
                         double jitter = 0) {
  ActivityOptions options;
  options.retry.max_attempts = attempts;
  options.retry.first_delay = first;
  options.retry.factor = factor;
  options.retry.cap = cap;
  options.retry.jitter = jitter;
  return options;
}

ActivityOutcome failure(const Text& type = "Broken", bool non_retryable = false) {
  return {nullptr, {ErrorCode::application, type, "it broke", non_retryable}};
}
ActivityOutcome success(const Text& value) { return {encode(value), {}}; }

const ActivityContext& running(World& world) {
  REQUIRE(world.runner().tasks.size() == 1);
  return world.runner().tasks.front().context;
}

// The delay until the next attempt starts; the one that runs is failed first.
Duration delay_after_failure(World& world) {
  world.end_activity(failure());
  const auto activities = world.status(key).state.activities;
  REQUIRE(activities.size() == 1);
  const auto delay = activities[0].retry_at - world.records().back().log_time;
  world.pass(delay - 1us);
  CHECK(world.runner().tasks.empty());
  world.pass(1us);
  CHECK(world.runner().tasks.size() == 1);
  return delay;
}

}  // namespace

TEST_CASE("S21: an activity starts only after its decision is durable") {
  World world(calling({}));
  world.engine().start(key, Text("x"), {}, [](const Result<Accepted>&) {});
  world.executor().run(Lane::orchestrator);
  world.executor().run(Lane::orchestrator);
  CHECK(world.runner().tasks.empty());
  world.executor().run(Lane::writer);
  CHECK(world.runner().tasks.empty());
  world.executor().run(Lane::orchestrator);
  CHECK(world.runner().tasks.size() == 1);
}

TEST_CASE("S21: attempt numbers count recorded failures and openings") {
  World world(calling(retrying(0)));
  world.start(key, "x");
  CHECK(running(world).attempt == 1);
  world.end_activity(failure());
  world.pass(1s);
  CHECK(running(world).attempt == 2);
  world.crash();
  world.settle();
  CHECK(running(world).attempt == 3);  // the second was cut
  world.crash();
  world.settle();
  CHECK(running(world).attempt == 4);
  world.end_activity(failure());
  world.pass(2s);
  CHECK(running(world).attempt == 5);
  world.end_activity(success("done"));
  CHECK(world.result(key) == "done");
}

TEST_CASE("S21: after an open no attempt starts before the opening that its number counts is durable") {
  World world(calling(retrying(3)));
  world.start(key, "x");
  CHECK(running(world).attempt == 1);
  world.crash();
  world.runner().tasks.clear();
  for (int i = 0; i < 3; ++i) {
    world.executor().wake(Lane::orchestrator);
    world.executor().run(Lane::orchestrator);
  }
  CHECK(world.runner().tasks.empty());
  world.settle();
  CHECK(running(world).attempt == 2);
}

TEST_CASE("S21: the idempotency key is the same over attempts and crashes, and used for nothing else") {
  World world(calling(retrying(0)));
  world.start(key, "x");
  const auto first = running(world).idempotency_key;
  CHECK(first.size() == 32);
  world.end_activity(failure());
  world.pass(1s);
  CHECK(running(world).idempotency_key == first);
  world.crash();
  world.settle();
  CHECK(running(world).idempotency_key == first);
  world.end_activity(success("done"));

  std::set<Text> keys{first};
  std::size_t uses = 1;
  const auto see = [&] {
    world.settle();
    while (!world.runner().tasks.empty()) {
      keys.insert(world.runner().tasks.front().context.idempotency_key);
      ++uses;
      world.end_activity(success("done"));
    }
  };
  world.start(key, "x");  // another run of the same instance
  see();
  world.start({"it", "other"}, "x");
  see();
  world.start({"twice", "k"}, "x");  // two ordinals
  see();
  World other(calling({}), {}, 77);  // another log
  other.start(key, "x");
  keys.insert(running(other).idempotency_key);
  CHECK(keys.size() == uses + 1);
}

TEST_CASE("S21: the idempotency key is what every version makes of log id, epoch, instance, run and ordinal") {
  World world(calling({}));
  world.start(key, "x");
  const auto found = running(world).idempotency_key;
  const auto run = world.status(key).state.run;
  world.close();
  const auto info = world.disk().open()->info();
  crypto_generichash_state state;
  crypto_generichash_init(&state, nullptr, 0, 16);
  const auto add = [&state](const void* bytes, std::size_t size) {
    crypto_generichash_update(&state, static_cast<const unsigned char*>(bytes), size);
  };
  for (const auto& id : {info.log_id, info.epoch, instance_id(key)}) add(id.bytes.data(), id.bytes.size());
  const std::uint64_t numbers[] = {run, 1};  // little-endian
  add(numbers, sizeof numbers);
  Id128 expected;
  crypto_generichash_final(&state, expected.bytes.data(), expected.bytes.size());
  CHECK(found == to_hex(expected));
}

TEST_CASE("S22: an attempt cut by a crash is repeated at once and uses nothing of the retry policy up") {
  World world(calling(retrying(2)));
  world.start(key, "x");
  for (int crash = 0; crash < 5; ++crash) {
    world.crash();
    world.settle();
    CHECK(world.runner().tasks.size() == 1);
  }
  world.end_activity(failure());
  CHECK(world.status(key).state.live());  // one of two
  world.pass(1s);
  world.end_activity(failure());
  CHECK(world.status(key).state.status == RunStatus::failed);
}

TEST_CASE("Retry policy: attempts, then the error of the last one") {
  World world(calling(retrying(3)));
  world.start(key, "x");
  world.end_activity(failure("First"));
  world.pass(1s);
  world.end_activity(failure("Second"));
  world.pass(2s);
  world.end_activity(failure("Third"));
  const auto state = world.status(key).state;
  CHECK(state.status == RunStatus::failed);
  CHECK(state.error.type == "Third");
  const auto stats = world.engine().stats();
  CHECK(stats.activity_attempts == 3);
  CHECK(stats.activity_retries == 2);
  CHECK(stats.activity_failures == 1);
}

TEST_CASE("Retry policy: the default is one attempt") {
  World world(calling({}));
  world.start(key, "x");
  world.end_activity(failure());
  CHECK(world.status(key).state.status == RunStatus::failed);
}

TEST_CASE("Retry policy: delays grow by the factor up to the cap") {
  World world(calling(retrying(0, 100ms, 3, 2s)));
  world.start(key, "x");
  for (const Duration expected : {100ms, 300ms, 900ms, 2000ms, 2000ms}) CHECK(delay_after_failure(world) == expected);
}

TEST_CASE("Retry policy: jitter moves a delay by up to its share, both ways") {
  World world(calling(retrying(0, 1s, 1, 1s, 0.25)));
  world.start(key, "x");
  Duration least = 1h, most{};
  for (int i = 0; i < 100; ++i) {
    const auto delay = delay_after_failure(world);
    least = std::min(least, delay);
    most = std::max(most, delay);
  }
  CHECK(least >= 750ms);
  CHECK(most <= 1250ms);
  CHECK(least < 800ms);
  CHECK(most > 1200ms);
}

TEST_CASE("Retry policy: an immense delay is one, however the jitter moves it") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    World world(calling(retrying(0, Duration::max(), 2, Duration::max(), 0.5)), {}, seed);
    world.start(key, "x");
    world.end_activity(failure());
    const auto activities = world.status(key).state.activities;
    REQUIRE(activities.size() == 1);
    CHECK(activities[0].retry_at - world.records().back().log_time > 1'000'000h);
  }
}

TEST_CASE("Retry policy: an immense count of failures gives the cap") {
  World world(calling(retrying(0, 1s, 1e100, 5s)));
  world.start(key, "x");
  CHECK(delay_after_failure(world) == 1s);
  for (int i = 0; i < 20; ++i) CHECK(delay_after_failure(world) == 5s);
}

TEST_CASE("Retry policy: with a factor without end, the cap comes after the first delay") {
  World world(calling(retrying(0, 1s, HUGE_VAL, 5s)));
  world.start(key, "x");
  for (const Duration expected : {1s, 5s, 5s}) CHECK(delay_after_failure(world) == expected);
}

TEST_CASE("Retry policy: no delay stays none, however often it is multiplied") {
  World world(calling(retrying(0, 0s, 1e100)));
  world.start(key, "x");
  for (int i = 0; i < 8; ++i) world.end_activity(failure());
  int attempts = 0;
  for (const auto& record : world.records())
    if (const auto* attempt = std::get_if<AttemptBody>(&record.body)) {
      ++attempts;
      CHECK(attempt->retry_at == record.log_time);
    }
  CHECK(attempts == 8);
}

TEST_CASE("Retry policy: no attempt begins after the total time") {
  auto options = retrying(0, 4s, 1);
  options.retry.total_time = 10s;
  World world(calling(options));
  world.start(key, "x");
  CHECK(delay_after_failure(world) == 4s);
  CHECK(delay_after_failure(world) == 4s);
  world.end_activity(failure());  // the next would begin after 12 s
  CHECK(world.status(key).state.status == RunStatus::failed);
}

TEST_CASE("Retry policy: a listed type and a final error end the retries at once") {
  auto options = retrying(0);
  options.retry.non_retryable_types = {"Final"};
  World world(calling(options));
  SUBCASE("another type is tried again") {
    world.start(key, "x");
    world.end_activity(failure("Other"));
    CHECK(world.status(key).state.live());
  }
  SUBCASE("a listed type is not") {
    world.start(key, "x");
    world.end_activity(failure("Final"));
    CHECK(world.status(key).state.status == RunStatus::failed);
  }
  SUBCASE("nor is an error that says so itself") {
    world.start(key, "x");
    world.end_activity(failure("Other", true));
    CHECK(world.status(key).state.status == RunStatus::failed);
  }
}

TEST_CASE("S23: retry delays survive crashes") {
  World world(calling(retrying(0, 1h, 1, 1h)));
  world.start(key, "x");
  world.end_activity(failure());
  world.pass(20min);
  world.crash();
  world.pass(20min);
  world.crash();
  world.pass(20min - 1us);
  CHECK(world.runner().tasks.empty());
  world.pass(1us);
  CHECK(running(world).attempt == 4);  // one failure, two openings
}

TEST_CASE("S23: a retry whose time came while the process was down starts at once") {
  World world(calling(retrying(0, 1h, 1, 1h)));
  world.start(key, "x");
  world.end_activity(failure());
  world.clock().advance(2h);
  world.crash();
  world.settle();
  CHECK(world.runner().tasks.size() == 1);
}

TEST_CASE("S23: activities wait for capacity in the order of their decisions") {
  World world(calling({}));
  world.runner().capacity_ = 2;
  for (int i = 0; i < 5; ++i) world.start({"it", std::to_string(i)}, std::to_string(i));
  std::vector<Text> order;
  CHECK(world.runner().tasks.size() == 2);
  while (!world.runner().tasks.empty()) {
    CHECK(world.runner().tasks.size() <= 2);
    order.push_back(world.runner().tasks.front().input->bytes);
    world.run_activity();
  }
  CHECK(order == std::vector<Text>{"0", "1", "2", "3", "4"});
}

TEST_CASE("P6: the first durable result counts; a repetition after a crash finds it") {
  World world(calling({}));
  world.start(key, "x");
  auto task = std::move(world.runner().tasks.front());
  world.runner().tasks.pop_front();
  task.done(success("lost"));
  world.executor().run(Lane::orchestrator);  // its record is not durable
  world.crash();
  world.settle();
  CHECK(running(world).attempt == 2);
  world.end_activity(success("kept"));
  world.crash();
  world.settle();
  CHECK(world.runner().tasks.empty());
  CHECK(world.result(key) == "kept");
}

TEST_CASE("S7, S19: a result that comes after its cancellation is ignored and counted") {
  World world([](Registry& registry) {
    registry.orchestrator("it", [](Context& ctx, const Text&) {
      auto slow = ctx.schedule_activity<Text>("do", Text());
      auto timer = ctx.create_timer(1s);
      if (ctx.when_any({&slow, &timer}) == 0) return slow.get();
      slow.cancel();
      return "timer" + ctx.wait_for_event<Text>("e").value;
    });
    registry.activity("do", [](const ActivityContext&, const Text&) { return Text(); });
  });
  world.start(key, "");
  world.pass(1s);
  CHECK(world.runner().tasks.front().context.cancellation.cancelled());
  world.end_activity(success("late"));
  CHECK(world.engine().stats().late_inputs == 1);
  world.crash();
  CHECK(world.runner().tasks.empty());
  world.event(key, "e", "!");
  CHECK(world.result(key) == "timer!");
}

TEST_CASE("S27: what an activity gave before the close is recorded by it, though a full batch waits for the writer") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    EngineOptions options;
    options.batch_records = 1;
    World world(calling({}), options, seed);
    world.start(key, "x");
    for (int i = 0; i < 2; ++i) {  // one is with the writer, one fills the next batch
      world.engine().raise_event({"it", "other"}, "e", Text(), {}, [](const Result<Accepted>&) {});
      world.executor().run(Lane::orchestrator);
    }
    REQUIRE(world.runner().tasks.size() == 1);
    world.runner().tasks.front().done(success("given"));
    world.close();
    world.crash();
    world.settle();
    CHECK(world.runner().tasks.empty());
    CHECK(world.result(key) == "given");
  }
}

TEST_CASE("S27: an activity that ends after its engine has gone harms nobody") {
  World world(calling({}));
  world.start(key, "x");
  auto task = std::move(world.runner().tasks.front());
  world.close();
  CHECK(task.context.cancellation.cancelled());
  task.done(success("too late"));
}
