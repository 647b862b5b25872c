#include "tests/sim/scenario.hpp"

#include <cstdio>

namespace bobbin::sim {

namespace {

using namespace std::chrono_literals;

constexpr int activities_max = 1'000;
constexpr int lives_in_a_row = 4;

}  // namespace

Outcome simulate(const Plan& plan) {
  const bool gateway = plan.gateway.value_or(plan.seed % 4 == 0);
  const auto scenario = gateway ? gateway_scenario(plan) : workload_scenario(plan);
  return scenario->run();
}

EngineOptions drawn_options(Random& random) {
  constexpr std::array<std::size_t, 4> few{1, 2, 5, 1'000};
  constexpr std::array<std::uint64_t, 4> ages{1, 3, 20, 8'192};
  constexpr std::array<Duration, 3> short_times{300ms, 10s, 1min};
  constexpr std::array<Duration, 3> long_times{10s, 1min, 1h};
  EngineOptions engine;
  engine.resident_instances = random.pick(few);
  engine.checkpoint_age_records = random.pick(ages);
  engine.batch_records = random.one_in(2) ? 3 : 4'096;
  engine.mailbox_events = random.pick(few);
  engine.mailbox_time_to_live = random.pick(short_times);
  engine.dedup_horizon = random.pick(long_times);
  engine.retention = random.pick(long_times);
  if (random.one_in(6)) engine.tail_records_max = 64;
  engine.carries_before_dead = static_cast<std::uint32_t>(1 + random.below(3));
  engine.failure_backoff_first = random.one_in(2) ? 50ms : 1s;
  engine.failure_backoff_cap = random.one_in(2) ? 2s : 1min;
  engine.fiber_stack_bytes = 64u << 10;
  engine.strict_replay = true;
  return engine;
}

Outcome Scenario::run() {
  try {
    reopen();
    for (const auto& step : steps_of(plan_.seed, plan_.steps, plan_.selection)) {
      Random random(step.random);
      trace_.add(step.number);
      if (plan_.show) std::fprintf(stderr, "%zu %s\n", step.number, name_of(step.kind));
      take(step, random);
      // A host whose engine has stopped may look on for a while, and be told so, before it opens the log again.
      if (world_.stopped() && random.one_in(2)) come_back(random);
      ++steps_;
      if (!verdict_.kept()) break;
    }
    Random random(plan_.seed ^ 0xe4d);
    if (verdict_.kept()) finish(random);
  } catch (const std::exception& error) {
    verdict_.broken(std::string("an exception leaves the engine: ") + error.what());
  }
  return {verdict_.what(), trace_.hash(), steps_, crashes_};
}

void Scenario::take(const Step& step, Random& random) {
  switch (step.kind) {
    case StepKind::lanes:
      for (auto runs = 1 + random.below(4); runs > 0; --runs) world_.executor().run_one(random);
      return;
    case StepKind::settle:
      return world_.settle(random);
    case StepKind::late:
      if (world_.runner().late() > 0) world_.runner().end_late(random.below(world_.runner().late()));
      return;
    case StepKind::check:
      return world_.check_at_rest(random);
    case StepKind::crash:
      return come_back(random);
    case StepKind::crash_at:
      return fail_commit(true, random);
    case StepKind::unknown:
      return fail_commit(false, random);
    case StepKind::full:
      world_.faults().full_for = 1 + random.below(5);
      return;
    case StepKind::slow:
      return world_.executor().hold_writer(world_.clock().boot_time() + random.duration(slowest_commit_));
    case StepKind::clock:
      return world_.clock().move_wall(random.duration(6h) - Duration(3h));
    case StepKind::close:
      if (world_.stopped()) return;
      world_.close();
      return come_back(random);
    case StepKind::call:
    case StepKind::again:
    case StepKind::read:
    case StepKind::predicted:
    case StepKind::operate:
    case StepKind::time:
    case StepKind::activity:
    case StepKind::change_code:
      act(step, random);
      if (step.kind == StepKind::change_code) come_back(random);
      return;
  }
}

void Scenario::fail_commit(bool host_dies, Random& random) {
  world_.faults().host_dies = host_dies;
  world_.faults().fails_in = 1 + random.below(4);
  world_.faults().written = random.one_in(2);
}

void Scenario::reopen() {
  world_.crash();
  engine_gone();
  if (plan_.show) std::fprintf(stderr, "an engine opens the log\n");
  world_.open(next_code_, [this](Store& store) { log_opened(store); });
  engine_back();
}

// Perhaps after a while, perhaps on a machine that was started again, perhaps to end in its first commits.
void Scenario::come_back(Random& random) {
  for (int life = 0; life < lives_in_a_row; ++life) {
    ++crashes_;
    world_.crash();
    if (random.one_in(4)) world_.clock().advance(random.duration(life == 0 ? Duration(1h) : Duration(5s)));
    if (random.one_in(4)) world_.clock().reboot();
    world_.faults().fails_in = 0;
    if (random.one_in(6)) fail_commit(random.one_in(2), random);
    reopen();
    if (!random.one_in(2)) return;
    world_.settle(random);
    if (!world_.stopped()) return;
  }
}

void Scenario::end_activities(Random& random) {
  for (int i = 0; world_.runner().running() > 0 && i < activities_max; ++i) {
    world_.runner().end(0, {world_.runner().task(0).input, {}});
    world_.settle(random);
  }
  if (world_.runner().running() > 0) verdict_.broken("activities are started without end");
}

}  // namespace bobbin::sim
