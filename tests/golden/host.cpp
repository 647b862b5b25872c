#include "tests/golden/host.hpp"

#include "engine/runtime/thread_runner.hpp"
#include "tests/golden/workflows.hpp"
#include "tests/support/test_options.hpp"

#include <bobbin/assert.hpp>
#include <bobbin/lmdb.hpp>

namespace bobbin::golden {

namespace {

// Commits as long as the power is on.
class PoweredStore final : public Store {
 public:
  PoweredStore(std::unique_ptr<Store> store, std::shared_ptr<bool> power)
      : store_(std::move(store)), power_(std::move(power)) {}
  LogInfo info() const override { return store_->info(); }
  std::uint64_t reserve(std::uint64_t bytes) override { return store_->reserve(bytes); }
  Committed commit(const bobbin::Batch& batch) override {
    if (!*power_) throw OutcomeUnknown("the power is off");
    return store_->commit(batch);
  }
  std::unique_ptr<Snapshot> snapshot() override { return store_->snapshot(); }

 private:
  std::unique_ptr<Store> store_;
  std::shared_ptr<bool> power_;
};

}  // namespace

Host::Host(std::filesystem::path directory, EngineOptions options)
    : directory_(std::move(directory)), options_(testing::with_test_defaults(std::move(options))) {}

void Host::open(bool changed) {
  crash();
  Registry registry;
  register_workflows(registry, changed);
  executor_ = std::make_shared<testing::ManualExecutor>(seed_++);
  runner_ = std::make_shared<testing::ManualRunner>();
  power_ = std::make_shared<bool>(true);
  Ports ports;
  ports.clock = clock_;
  ports.executor = executor_;
  ports.activities = runner_;
  ports.random = [random = std::mt19937_64(seed_)]() mutable { return random(); };
  engine_ = std::make_unique<Engine>(std::make_unique<PoweredStore>(open_lmdb(directory_), power_), std::move(registry),
                                     options_, std::move(ports));
  settle();
}

void Host::crash() {
  if (power_) *power_ = false;
  engine_.reset();
}

void Host::pass(Duration time) {
  settle();
  while (time > Duration::zero()) {
    const auto next = executor_->next_delay();
    const auto step = next ? std::min(time, std::max(*next, Duration(1))) : time;
    clock_->advance(step);
    time -= step;
    executor_->wake(Lane::orchestrator);
    settle();
  }
}

void Host::run_activity() {
  Registry registry;
  register_workflows(registry, false);
  expect(!runner_->tasks.empty(), "an activity runs");
  end_activity(bobbin::run_activity(registry, runner_->tasks.front()));
}

void Host::fail_activity(const std::string& type, const std::string& message, bool non_retryable) {
  end_activity({nullptr, {ErrorCode::application, type, message, non_retryable}});
}

void Host::end_activity(ActivityOutcome outcome) {
  expect(!runner_->tasks.empty(), "an activity runs");
  auto task = std::move(runner_->tasks.front());
  runner_->tasks.pop_front();
  task.done(std::move(outcome));
  settle();
}

DeadLetter Host::dead_letter(const InstanceName& name) {
  const auto letters =
      called<std::vector<DeadLetter>>([](Engine& engine, auto done) { engine.dead_letters(Position{}, 1'000, done); });
  const auto at =
      std::find_if(letters.rbegin(), letters.rend(), [&name](const DeadLetter& letter) { return letter.name == name; });
  expect(at != letters.rend(), "the instance has a dead letter");
  return *at;
}

}  // namespace bobbin::golden
