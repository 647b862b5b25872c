// The gateway above its sockets: intake, retransmissions, its memory over restarts and the consolidation, between peers
// that repeat themselves and an application that fails.
#include "tests/sim/scenario.hpp"
#include "tests/sim/sms_peer.hpp"
#include "tests/sim/sms_receiver.hpp"
#include "tools/gateway/batch_json.hpp"
#include "tools/gateway/restart.hpp"

#include <bobbin/workflows/sms_consolidation.hpp>

#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>

namespace bobbin::sim {

namespace {

using namespace std::chrono_literals;

constexpr int rounds_to_the_end = 40;

// S30 tells repetitions by times: what was accepted within 5 s before a death. So no commit may take that long here.
constexpr Duration slowest_commit = 2s;

WorldOptions world_options(const Plan& plan) {
  Random random(plan.seed ^ 0x6a7e);
  constexpr std::array<std::size_t, 3> few{1, 3, 1'000};
  WorldOptions world;
  world.seed = plan.seed;
  world.lmdb = plan.lmdb.value_or(plan.seed % 64 == 0);
  world.around_store = plan.around_store;
  world.show = plan.show;
  world.activity_capacity = random.pick(few);
  world.engine = drawn_options(random);
  world.engine.dedup_horizon = 1h;
  return world;
}

workflows::SmsWindow drawn_window(std::uint64_t seed) {
  Random random(seed ^ 0x717d0);
  workflows::SmsWindow window;
  window.length = 500ms + random.duration(6s);
  window.max_messages = static_cast<std::uint32_t>(2 + random.below(20));
  window.delivery_first_delay = 50ms;
  window.delivery_delay_cap = 5s;
  return window;
}

void register_gateway(Registry& registry, CodeVersion) {
  workflows::register_sms_consolidation(registry, gateway::batch_json);
  registry.activity(workflows::deliver_batch, [](const ActivityContext&, const workflows::BatchDelivery&) {});
}

class GatewayScenario final : public Scenario {
 public:
  explicit GatewayScenario(const Plan& plan)
      : Scenario(plan, world_options(plan), register_gateway),
        random_(plan.seed ^ 0x3a1),
        window_(drawn_window(plan.seed)),
        log_(std::make_shared<spdlog::logger>("none", std::make_shared<spdlog::sinks::null_sink_st>())),
        peer_(world_, verdict_, trace_),
        receiver_(verdict_) {
    slowest_commit_ = slowest_commit;
  }
  ~GatewayScenario() override {
    world_.crash();
    engine_gone();
  }

 private:
  // What one process holds besides its engine.
  struct Process {
    explicit Process(std::function<std::uint64_t()> random_64) : retransmission({}, std::move(random_64)) {}
    gateway::Retransmission retransmission;
    std::deque<std::function<void()>> posted;
    std::optional<gateway::Intake> intake;
  };

  void act(const Step& step, Random& random) override;
  void finish(Random& random) override;
  void engine_gone() override;
  void log_opened(Store& store) override;
  void engine_back() override;
  gateway::Retransmission::Time now() { return gateway::Retransmission::Time(world_.clock().boot_time()); }
  void run_posted();
  void pass_time(Duration time, Random& random);
  void end_delivery(Random& random);
  void redrive_all(Random& random);

  Random random_;
  const workflows::SmsWindow window_;
  std::shared_ptr<spdlog::logger> log_;
  std::unique_ptr<Process> process_;
  gateway::Past past_;  // the files of the disk
  SmsPeer peer_;
  SmsReceiver receiver_;
};

// ---- The process's lives ----

void GatewayScenario::engine_gone() {
  peer_.disconnect();
  process_.reset();
}

void GatewayScenario::log_opened(Store& store) {
  process_ = std::make_unique<Process>([this] { return random_.next(); });
  const gateway::RetransmissionOptions options;
  // What the former life noted last is not quite new.
  auto& lives = past_.lives;
  if (!lives.empty())
    lives.back().lived = std::max(world_.clock().lived() - random_.duration(gateway::Lives::interval), Duration{});
  gateway::seed_after_restart(store, past_, now(), options, process_->retransmission);
  const auto last = store.snapshot()->record(store.info().last_lsn);
  lives = gateway::with_new_life(std::move(lives), last ? &*last : nullptr, options.absorb_for);
}

void GatewayScenario::engine_back() {
  auto* process = process_.get();
  process->intake.emplace(
      world_.engine(), process->retransmission, window_, "49",
      [process](std::function<void()> act) { process->posted.push_back(std::move(act)); }, [this] { return now(); },
      [this, process](const std::string& dedup_id, std::function<void(const ErrorInfo&)> then) {
        past_.repetitions.push_back({past_.lives.back().first_lsn, world_.clock().lives(), dedup_id});
        process->posted.push_back([then = std::move(then)] { then({}); });
      },
      log_);
  peer_.connect(*process->intake);
}

void GatewayScenario::run_posted() {
  if (!process_ || !world_.alive()) return;
  while (!process_->posted.empty()) {
    const auto act = std::move(process_->posted.front());
    process_->posted.pop_front();
    act();
  }
}

// ---- Steps ----

void GatewayScenario::act(const Step& step, Random& random) {
  run_posted();
  if (world_.stopped()) return;
  if (step.kind == StepKind::call) peer_.send_new(random);
  if (step.kind == StepKind::again) peer_.repeat();
  if (step.kind == StepKind::read) peer_.lose_session();
  if (step.kind == StepKind::activity) end_delivery(random);
  if (step.kind == StepKind::time) pass_time(random.duration(random.one_in(6) ? Duration(20s) : Duration(2s)), random);
  run_posted();
}

// The lanes keep up with time, and peers with both.
void GatewayScenario::pass_time(Duration time, Random& random) {
  world_.settle(random);
  run_posted();
  for (; time > Duration{} && !world_.stopped(); time -= 1s) {
    world_.pass(std::min(time, Duration(1s)), random);
    run_posted();
    peer_.repeat();
    world_.settle(random);
    run_posted();
  }
}

void GatewayScenario::end_delivery(Random& random) {
  auto& runner = world_.runner();
  if (runner.running() == 0) return;
  const auto index = random.below(runner.running());
  if (random.one_in(4))
    return runner.end(index, {nullptr, {ErrorCode::application, "network", "it got nowhere", false}});
  receiver_.receive(runner.task(index));
  if (random.one_in(2)) return runner.end(index, {nullptr, {}});
  const bool refused = random.one_in(4);
  runner.end(index, {nullptr, {ErrorCode::application, refused ? "refused" : "http_503", "", refused}});
}

// ---- The end ----

void GatewayScenario::finish(Random& random) {
  world_.end_faults();
  reopen();
  for (int round = 0; round < rounds_to_the_end && verdict_.kept(); ++round) {
    pass_time(10s, random);
    for (int i = 0; world_.runner().running() > 0 && i < 1'000; ++i) {
      receiver_.receive(world_.runner().task(0));
      world_.runner().end(0, {nullptr, {}});
      world_.settle(random);
    }
    redrive_all(random);
    world_.check_at_rest(random);
    bool lives = world_.runner().running() > 0;
    for (const auto& [id, instance] : world_.model().instances()) lives |= instance.live.has_value();
    for (const auto& [position, letter] : world_.model().letters())
      lives |= letter.state == DeadLetterState::dead || letter.state == DeadLetterState::redriving;
    if (!lives && peer_.all_accepted()) break;
  }
  if (!peer_.all_accepted()) verdict_.broken("a message is never acknowledged (S29)");
  world_.model().check_ended();
  peer_.check_log();
  receiver_.check_delivered(peer_.accepted());
  world_.read_all_at_opens();
  reopen();
}

void GatewayScenario::redrive_all(Random& random) {
  for (const auto& [position, letter] : world_.model().letters())
    if (letter.state == DeadLetterState::dead) world_.engine().redrive(position, {}, [](const Result<Accepted>&) {});
  world_.settle(random);
}

}  // namespace

std::unique_ptr<Scenario> gateway_scenario(const Plan& plan) { return std::make_unique<GatewayScenario>(plan); }

}  // namespace bobbin::sim
