// A simulated host: one log in memory that survives crashes, and an engine over it under a virtual clock.
#pragma once

#include "tests/support/manual_executor.hpp"

#include <bobbin/engine.hpp>
#include <bobbin/memory_store.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <thread>

namespace bobbin::testing {

// The disk's state. Bytes beside the log: those that the log holds for itself, and those that anybody may take.
struct DiskSpace {
  std::uint64_t reserved = Store::unbounded;
  std::uint64_t free = 0;
  std::uint64_t asked = 0;  // how often the store was asked to reserve
  bool broken = false;      // an I/O error is the answer to that
  bool unreadable = false;  // what holds the log's records and rows together is damaged
};

class World {
 public:
  explicit World(std::function<void(Registry&)> registration, EngineOptions options = {}, std::uint64_t seed = 1);

  // A crash: the engine vanishes with all that is not committed, and is opened again over the log. Calls that were not
  // answered get OutcomeUnknown, as their callers would on another machine.
  void crash();
  // As above, over another log.
  void crash_to(std::shared_ptr<MemoryDisk> disk);
  void close() { engine_.reset(); }
  // From now on every commit fails, until the next crash.
  void cut_power() { *power_ = false; }

  // From now on the disk is as small as this says. What is reserved stays the log's over crashes.
  DiskSpace& space() { return *space_; }
  // How often the store was asked for a view of what it holds, since the world began.
  std::uint64_t snapshots() const { return *snapshots_; }

  Engine& engine() { return *engine_; }
  MemoryDisk& disk() { return *disk_; }
  VirtualClock& clock() { return *clock_; }
  ManualExecutor& executor() { return *executor_; }
  ManualRunner& runner() { return *runner_; }
  EngineOptions& options() { return options_; }
  void set_registration(std::function<void(Registry&)> registration) { registration_ = std::move(registration); }

  // Runs the lanes until none has work.
  void settle() { executor_->run_all(); }
  // Time passes, stopping at every moment at which the engine wants to run.
  void pass(Duration time);
  // Ends the oldest running activity with its real code; false if none runs.
  bool run_activity();
  // Ends the oldest running activity with this outcome.
  void end_activity(ActivityOutcome outcome);
  // Runs lanes and activities until nothing is left to do at this time.
  void run_to_rest();

  // Calls in callback form, for a test that then settles; empty until answered.
  template <class T>
  struct Answer {
    std::shared_ptr<std::optional<Result<T>>> slot = std::make_shared<std::optional<Result<T>>>();
    Callback<T> callback() const {
      return [slot = slot](const Result<T>& result) { *slot = result; };
    }
    bool given() const { return slot->has_value(); }
    const Result<T>& get() const { return **slot; }
  };
  Result<Accepted> event(const InstanceName& name, const std::string& event, const std::string& value,
                         const EventOptions& options = {});
  Result<Accepted> event_with_start(const InstanceName& name, const std::string& input, const std::string& event,
                                    const std::string& value, const EventOptions& options = {});
  Result<Accepted> start(const InstanceName& name, const std::string& input, const StartOptions& options = {});
  Result<Accepted> terminate(const InstanceName& name, const TerminateOptions& options = {});
  InstanceStatus status(const InstanceName& name);
  std::string result(const InstanceName& name) { return decode<std::string>(status(name).result); }
  // A call in blocking form, made on another thread while this one runs the lanes; throws what it throws.
  template <class F>
  auto blocking(F call) -> decltype(call(std::declval<Engine&>()));
  // A call in callback form, settled; throws the answer's error.
  template <class T, class F>
  T called(F call) {
    Answer<T> answer;
    call(*engine_, answer.callback());
    settle();
    if (!answer.given()) throw Closed("the call was not answered");
    if (answer.get().error) throw_error(answer.get().error);
    return answer.get().value;
  }
  Accepted redrive(Position letter, const OperatorOptions& options = {}) {
    return called<Accepted>([&](Engine& engine, auto done) { engine.redrive(letter, options, done); });
  }
  Accepted discard(Position letter, const OperatorOptions& options = {}) {
    return called<Accepted>([&](Engine& engine, auto done) { engine.discard(letter, options, done); });
  }
  Accepted purge(const InstanceName& name, const OperatorOptions& options = {}) {
    return called<Accepted>([&](Engine& engine, auto done) { engine.purge(name, options, done); });
  }
  std::vector<DeadLetter> dead_letters(Position after = {}, std::size_t limit = 100) {
    return called<std::vector<DeadLetter>>([&](Engine& engine, auto done) { engine.dead_letters(after, limit, done); });
  }
  std::vector<InstanceState> list(const ListQuery& query = {}) {
    return called<std::vector<InstanceState>>([&](Engine& engine, auto done) { engine.list(query, done); });
  }
  std::vector<Ledger> ledgers() {
    return called<std::vector<Ledger>>([](Engine& engine, auto done) { engine.ledgers(done); });
  }
  // The engine's ledger of an orchestrator; all zero if it has none.
  Ledger ledger(const std::string& orchestrator);
  // All records of the log.
  std::vector<Record> records();

 private:
  void open();

  std::function<void(Registry&)> registration_;
  EngineOptions options_;
  std::uint64_t seed_;
  std::shared_ptr<MemoryDisk> disk_;
  std::shared_ptr<bool> power_;  // of the open store: nothing is committed once it is off
  std::shared_ptr<DiskSpace> space_ = std::make_shared<DiskSpace>();
  std::shared_ptr<std::uint64_t> snapshots_ = std::make_shared<std::uint64_t>(0);
  std::shared_ptr<VirtualClock> clock_;
  std::shared_ptr<ManualExecutor> executor_;
  std::shared_ptr<ManualRunner> runner_;
  std::unique_ptr<Engine> engine_;
};

template <class F>
auto World::blocking(F call) -> decltype(call(std::declval<Engine&>())) {
  std::optional<decltype(call(*engine_))> result;
  std::exception_ptr error;
  std::atomic<bool> done = false;
  std::thread caller([&] {
    try {
      result.emplace(call(*engine_));
    } catch (...) {
      error = std::current_exception();
    }
    done = true;
  });
  while (!done) {
    settle();
    std::this_thread::yield();
  }
  caller.join();
  if (error) std::rethrow_exception(error);
  return std::move(*result);
}

}  // namespace bobbin::testing
