#include "tests/sim/workload.hpp"

#include "tests/sim/random.hpp"

namespace bobbin::sim {

namespace {

using namespace std::chrono_literals;
using Text = std::string;

// What one run took, and the inputs of its activities, of which none is like another.
class Work {
 public:
  Work(Context& ctx, const Text& input) : ctx_(ctx), random_(std::hash<Text>()(input)) {}

  void take(const Text& value) { taken_ += value + ","; }
  void wait(const char* name) { take(ctx_.wait_for_event<Text>(name).value); }
  Text next_input() { return std::to_string(ctx_.run()) + ":" + std::to_string(++activities_); }
  Random& random() { return random_; }
  const Text& taken() const { return taken_; }

  ActivityOptions options() {
    ActivityOptions options;
    options.retry.max_attempts = static_cast<std::uint32_t>(1 + random_.below(4));
    options.retry.first_delay = Duration(1ms) + random_.duration(2s);
    options.retry.factor = 1.0 + static_cast<double>(random_.below(3));
    options.retry.cap = 5s;
    options.retry.jitter = random_.one_in(2) ? 0.0 : 0.5;
    if (random_.one_in(4)) options.retry.total_time = random_.duration(4s);
    if (random_.one_in(3)) options.retry.non_retryable_types = {"Odd"};
    options.dead_letter_on_failure = random_.one_in(2);
    return options;
  }
  Activity<Text> schedule() { return ctx_.schedule_activity<Text>(work, next_input(), options()); }

 private:
  Context& ctx_;
  Random random_;
  Text taken_;
  int activities_ = 0;
};

Text pair(Context& ctx, const Text& input) {
  Work work(ctx, input);
  work.wait("e");
  work.wait("e");
  return work.taken();
}

Text window(Context& ctx, const Text& input) {
  Work work(ctx, input);
  for (int i = 0; i < 2; ++i) {
    auto closes = ctx.create_timer(500ms + work.random().duration(3s));
    while (auto event = ctx.wait_for_event<Text>("e", closes)) work.take(event->value);
    try {
      work.schedule().get();
    } catch (const ApplicationError&) {
    }
  }
  return work.taken();
}

Text failing(Context& ctx, const Text& input) {
  Work work(ctx, input);
  if (work.random().one_in(2)) work.wait("e");
  ctx.create_timer(100ms).wait();
  throw ApplicationError("Failing", "as it always does");
}

Text retrying(Context& ctx, const Text& input) {
  Work work(ctx, input);
  try {
    work.schedule().get();
  } catch (const ApplicationError&) {
    ctx.create_timer(1s).wait();
  }
  work.wait("e");
  return work.taken();
}

Text branching(Context& ctx, const Text& input) {
  Work work(ctx, input);
  auto child = ctx.spawn([&ctx] { return ctx.wait_for_event<Text>("e").value; });
  auto other = ctx.expect_event<Text>("other");
  auto patience = ctx.create_timer(5s);
  switch (ctx.when_any({&child, &other, &patience})) {
    case 0:
      work.take(child.join());
      break;
    case 1:
      child.cancel();
      work.take(other.get().value);
      try {
        work.schedule().get();
      } catch (const ApplicationError&) {
      }
      break;
    default:
      break;
  }
  return work.taken();
}

// The three get what comes in the order in which they began to wait.
Text waiters(Context& ctx, const Text& input) {
  Work work(ctx, input);
  const auto wait = [&ctx] { return ctx.wait_for_event<Text>("e").value; };
  auto first = ctx.spawn(wait);
  auto second = ctx.spawn(wait);
  auto third = ctx.spawn(wait);
  ctx.when_all({&first, &second, &third});
  for (auto* fiber : {&first, &second, &third}) work.take(fiber->join());
  return work.taken();
}

Text timers(Context& ctx, const Text& input) {
  Work work(ctx, input);
  constexpr std::array lengths{Duration(-1s),   Duration(0),     Duration(1ms),
                               Duration(700ms), Duration(700ms), Duration(10s)};
  auto a = ctx.create_timer(work.random().pick(lengths));
  auto b = ctx.create_timer(work.random().pick(lengths));
  auto c = ctx.create_timer(work.random().pick(lengths));
  auto never = ctx.create_timer(Duration::max());
  ctx.when_any({&a, &b, &c});
  if (work.random().one_in(2)) a.cancel();
  ctx.when_all({&a, &b, &c});
  return work.taken();
}

// Awaits inside `catch`, then rethrows what it caught before.
Text saga(Context& ctx, const Text& input) {
  Work work(ctx, input);
  try {
    work.wait("e");
    work.schedule().get();
    throw ApplicationError("Undone", "because the saga says so");
  } catch (const ApplicationError&) {
    try {
      work.schedule().get();
    } catch (const ApplicationError&) {
      ctx.create_timer(50ms).wait();
    }
    throw;
  }
}

Text crowd(Context& ctx, const Text& input) {
  Work work(ctx, input);
  auto a = work.schedule();
  auto b = work.schedule();
  auto c = work.schedule();
  ctx.when_all({&a, &b, &c});
  if (work.random().one_in(2)) work.wait("e");
  return work.taken();
}

// Gives its activity up when it takes too long.
Text patient(Context& ctx, const Text& input) {
  Work work(ctx, input);
  auto activity = work.schedule();
  auto patience = ctx.create_timer(200ms + work.random().duration(1s));
  if (ctx.when_any({&activity, &patience}) == 1) activity.cancel();
  auto closes = ctx.create_timer(2s);
  if (auto event = ctx.wait_for_event<Text>("e", closes)) work.take(event->value);
  return work.taken();
}

// Waits that are given up take nothing and lose their place.
Text fickle(Context& ctx, const Text& input) {
  Work work(ctx, input);
  {
    auto given_up = ctx.expect_event<Text>("e");
    if (ctx.when_any({&given_up, &given_up}) == 0) work.take(given_up.get().value);
    auto second = ctx.expect_event<Text>("e");
    auto other = ctx.expect_event<Text>("other");
    auto soon = ctx.create_timer(300ms);
    ctx.when_any({&second, &other, &soon});
    if (second.ready()) work.take(second.get().value);
    if (other.ready()) work.take(other.get().value);
  }
  return work.taken();
}

// Its two versions decide the same in another order.
Text versioned(Context& ctx, const Text& input, int version) {
  Work work(ctx, input);
  std::optional<Activity<Text>> activity;
  if (version == 1) activity.emplace(work.schedule());
  auto timer = ctx.create_timer(100ms);
  if (version != 1) activity.emplace(work.schedule());
  timer.wait();
  work.wait("e");
  try {
    activity->get();
  } catch (const ApplicationError&) {
  }
  return work.taken();
}

}  // namespace

void register_workload(Registry& registry, CodeVersion code) {
  registry.orchestrator("pair", pair);
  registry.orchestrator("window", window);
  registry.orchestrator("failing", failing);
  registry.orchestrator("retrying", retrying);
  registry.orchestrator("branching", branching);
  registry.orchestrator("refusing", [](Context&, const Text&) { return Text(); });
  registry.orchestrator("waiters", waiters);
  registry.orchestrator("timers", timers);
  registry.orchestrator("saga", saga);
  registry.orchestrator("crowd", crowd);
  registry.orchestrator("patient", patient);
  registry.orchestrator("fickle", fickle);
  if (!code.absent)
    registry.orchestrator(versioned_orchestrator, [version = code.version](Context& ctx, const Text& input) {
      return versioned(ctx, input, version);
    });
  registry.activity(work, [](const ActivityContext&, const Text& input) { return input; });
}

}  // namespace bobbin::sim
