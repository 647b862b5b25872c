#include "tests/support/world.hpp"

#include "engine/runtime/thread_runner.hpp"
#include "storage/codec/encoder.hpp"
#include "tests/support/test_options.hpp"

#include <bobbin/assert.hpp>

#include <algorithm>

namespace bobbin::testing {

namespace {

// What a record takes on the disk, with its share of the rows.
std::uint64_t size_of(const Record& record, storage::Encoder& encoder) { return encoder.encode(record).size() + 128; }

// Commits as long as the power is on, and the disk has room.
class PoweredStore final : public Store {
 public:
  PoweredStore(std::unique_ptr<Store> store, std::shared_ptr<bool> power, std::shared_ptr<DiskSpace> space,
               std::shared_ptr<std::uint64_t> snapshots)
      : store_(std::move(store)),
        power_(std::move(power)),
        space_(std::move(space)),
        snapshots_(std::move(snapshots)) {}
  LogInfo info() const override { return store_->info(); }
  Committed commit(const Batch& batch) override {
    if (!*power_) throw OutcomeUnknown("the power is off");
    std::uint64_t bytes = 0;
    for (const auto& record : batch.records) bytes += size_of(record, encoder_);
    if (take(bytes) < bytes) throw StorageFull("nothing was written: the disk is full");
    auto done = store_->commit(batch);
    if (space_->reserved != unbounded) space_->reserved -= bytes;
    return done;
  }
  std::uint64_t reserve(std::uint64_t bytes) override {
    ++space_->asked;
    if (space_->broken) throw OutcomeUnknown("the disk is broken");
    return take(bytes);
  }
  std::unique_ptr<Snapshot> snapshot() override {
    ++*snapshots_;
    if (space_->unreadable) throw CorruptLog("a page is not there");
    return store_->snapshot();
  }

 private:
  std::uint64_t take(std::uint64_t bytes) {
    if (space_->reserved >= bytes) return space_->reserved;
    const auto taken = std::min(space_->free, bytes - space_->reserved);
    space_->free -= taken;
    return space_->reserved += taken;
  }

  std::unique_ptr<Store> store_;
  std::shared_ptr<bool> power_;
  std::shared_ptr<DiskSpace> space_;
  std::shared_ptr<std::uint64_t> snapshots_;
  storage::Encoder encoder_;
};

}  // namespace

World::World(std::function<void(Registry&)> registration, EngineOptions options, std::uint64_t seed)
    : registration_(std::move(registration)),
      options_(with_test_defaults(std::move(options))),
      seed_(seed),
      disk_(MemoryDisk::create(seed)),
      clock_(std::make_shared<VirtualClock>()) {
  open();
}

void World::open() {
  Registry registry;
  registration_(registry);
  executor_ = std::make_shared<ManualExecutor>(seed_++);
  runner_ = std::make_shared<ManualRunner>();
  Ports ports;
  ports.clock = clock_;
  ports.executor = executor_;
  ports.activities = runner_;
  ports.random = [random = std::mt19937_64(seed_)]() mutable { return random(); };
  power_ = std::make_shared<bool>(true);
  engine_ = std::make_unique<Engine>(std::make_unique<PoweredStore>(disk_->open(), power_, space_, snapshots_),
                                     std::move(registry), options_, std::move(ports));
}

void World::crash() { crash_to(disk_->prefix(disk_->commits())); }

void World::crash_to(std::shared_ptr<MemoryDisk> disk) {
  *power_ = false;
  engine_.reset();
  disk_ = std::move(disk);
  open();
}

void World::pass(Duration time) {
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

bool World::run_activity() {
  if (runner_->tasks.empty()) return false;
  Registry registry;
  registration_(registry);
  auto task = std::move(runner_->tasks.front());
  runner_->tasks.pop_front();
  task.done(bobbin::run_activity(registry, task));
  settle();
  return true;
}

void World::end_activity(ActivityOutcome outcome) {
  expect(!runner_->tasks.empty(), "an activity runs");
  auto task = std::move(runner_->tasks.front());
  runner_->tasks.pop_front();
  task.done(std::move(outcome));
  settle();
}

void World::run_to_rest() {
  settle();
  while (run_activity()) {
  }
}

namespace {
template <class T>
Result<T> answered(World& world, const World::Answer<T>& answer) {
  world.settle();
  expect(answer.given(), "the call was answered");
  return answer.get();
}
}  // namespace

Result<Accepted> World::event(const InstanceName& name, const std::string& event, const std::string& value,
                              const EventOptions& options) {
  Answer<Accepted> answer;
  engine_->raise_event(name, event, value, options, answer.callback());
  return answered(*this, answer);
}

Result<Accepted> World::event_with_start(const InstanceName& name, const std::string& input, const std::string& event,
                                         const std::string& value, const EventOptions& options) {
  Answer<Accepted> answer;
  engine_->raise_event_with_start(name, input, event, value, options, answer.callback());
  return answered(*this, answer);
}

Result<Accepted> World::start(const InstanceName& name, const std::string& input, const StartOptions& options) {
  Answer<Accepted> answer;
  engine_->start(name, input, options, answer.callback());
  return answered(*this, answer);
}

Result<Accepted> World::terminate(const InstanceName& name, const TerminateOptions& options) {
  Answer<Accepted> answer;
  engine_->terminate(name, "the test asked for it", options, answer.callback());
  return answered(*this, answer);
}

InstanceStatus World::status(const InstanceName& name) {
  Answer<InstanceStatus> answer;
  engine_->status(name, answer.callback());
  const auto result = answered(*this, answer);
  if (result.error) throw_error(result.error);
  return result.value;
}

Ledger World::ledger(const std::string& orchestrator) {
  for (auto& ledger : ledgers())
    if (ledger.orchestrator == orchestrator) return ledger;
  Ledger none;
  none.orchestrator = orchestrator;
  return none;
}

std::vector<Record> World::records() {
  std::vector<Record> all;
  disk_->snapshot()->scan(1, [&all](Record&& record) {
    all.push_back(std::move(record));
    return true;
  });
  return all;
}

}  // namespace bobbin::testing
