// Clients, operators and activities of all kinds on an engine of its own.
#include "tests/sim/client.hpp"
#include "tests/sim/scenario.hpp"
#include "tests/sim/workload.hpp"

namespace bobbin::sim {

namespace {

using namespace std::chrono_literals;

// Enough for every retry, backoff and chain of successors of the workload.
constexpr int rounds_to_the_end = 60;
constexpr int rounds_fed = 12;
constexpr int rounds_a_code = 4;

WorldOptions world_options(const Plan& plan) {
  Random random(plan.seed ^ 0x0b7105);
  constexpr std::array<std::size_t, 4> few{1, 2, 5, 1'000};
  WorldOptions world;
  world.seed = plan.seed;
  world.lmdb = plan.lmdb.value_or(plan.seed % 16 == 1);
  world.around_store = plan.around_store;
  world.show = plan.show;
  world.activity_capacity = random.pick(few);
  world.engine = drawn_options(random);
  if (random.one_in(8)) world.engine.inbox_requests = 3;
  if (random.one_in(8)) world.engine.unread_events = world.engine.pending_activities = 4;
  if (random.one_in(8)) {
    world.engine.dedup_memory_ids = 12;
    world.engine.dedup_horizon = 10s;
  }
  return world;
}

class WorkloadScenario final : public Scenario {
 public:
  explicit WorkloadScenario(const Plan& plan)
      : Scenario(plan, world_options(plan), register_workload), clients_(world_, verdict_, trace_) {}

 private:
  void act(const Step& step, Random& random) override;
  void finish(Random& random) override;
  void engine_gone() override { clients_.forget_answers(); }
  void engine_back() override { clients_.repeat_unsettled(); }
  void pass_time(Random& random);
  void end_activity(Random& random);
  void finish_round(Random& random, int round);
  bool all_ended() const;

  Clients clients_;
};

void WorkloadScenario::act(const Step& step, Random& random) {
  if (step.kind == StepKind::call) return clients_.call(random);
  if (step.kind == StepKind::again) return clients_.send_again(random);
  if (step.kind == StepKind::read) return clients_.read(random);
  if (step.kind == StepKind::predicted) return clients_.call_predicted(random);
  if (step.kind == StepKind::operate) return clients_.operate(random);
  if (step.kind == StepKind::time) return pass_time(random);
  if (step.kind == StepKind::activity) return end_activity(random);
  next_code_ = {static_cast<int>(1 + random.below(2)), random.one_in(4)};
}

void WorkloadScenario::pass_time(Random& random) {
  if (random.one_in(3)) {
    world_.clock().advance(random.duration(700ms));
    return world_.wake();
  }
  world_.pass(random.duration(random.one_in(8) ? Duration(2min) : Duration(2s)), random);
}

void WorkloadScenario::end_activity(Random& random) {
  auto& runner = world_.runner();
  if (runner.running() == 0) return;
  const auto index = random.below(runner.running());
  const auto& task = runner.task(index);
  if (task.context.cancellation.cancelled() && random.one_in(2))
    return runner.end(index, {nullptr, {ErrorCode::cancelled, {}, "told to stop", false}});
  if (random.one_in(2)) return runner.end(index, {task.input, {}});
  const char* type = random.one_in(3) ? "Odd" : "Random";
  runner.end(index, {nullptr, {ErrorCode::application, type, "by the simulation", random.one_in(6)}});
}

// ---- The end ----

bool WorkloadScenario::all_ended() const {
  for (const auto& [id, instance] : world_.model().instances())
    if (instance.live) return false;
  return clients_.all_settled();
}

void WorkloadScenario::finish(Random& random) {
  world_.end_faults();
  for (int round = 0; round < rounds_to_the_end && verdict_.kept(); ++round) {
    if (round % rounds_a_code == 0) {  // both versions of the code get their turn
      next_code_ = {1 + (round / rounds_a_code) % 2, false};
      reopen();
    }
    finish_round(random, round);
    if (all_ended()) break;
  }
  if (!clients_.all_settled()) verdict_.broken("a call is never answered (S24)");
  end_activities(random);
  world_.pass(world_.options().mailbox_time_to_live + Duration(1s), random);
  world_.check_at_rest(random);
  world_.model().check_ended();
  if (world_.runner().running() != 0) verdict_.broken("an activity is left over after all runs have ended");
  if (clients_.waiting() != 0) verdict_.broken("a wait is not answered though no run lives");
  world_.read_all_at_opens();
  reopen();
}

void WorkloadScenario::finish_round(Random& random, int round) {
  world_.settle(random);
  clients_.repeat_unsettled(&random);
  end_activities(random);
  std::vector<InstanceName> live;
  for (const auto& [id, instance] : world_.model().instances())
    if (instance.live) live.push_back(instance.name);
  // Runs that take what they are fed and leave what began them go on for ever: S12 lets them, their operators do not.
  for (const auto& name : live)
    if (round < rounds_fed)
      clients_.feed(name, round % 3 == 2 ? "other" : "e");
    else
      clients_.terminate(name, round % 2 == 1);
  world_.settle(random);
  world_.pass(30s, random);
  if (round % 4 == 0) world_.check_at_rest(random);
}

}  // namespace

std::unique_ptr<Scenario> workload_scenario(const Plan& plan) { return std::make_unique<WorkloadScenario>(plan); }

}  // namespace bobbin::sim
