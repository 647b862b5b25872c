// A host of the golden log: the real engine over a log in LMDB, on one thread, under a virtual clock.
#pragma once

#include "tests/support/manual_executor.hpp"

#include <bobbin/engine.hpp>

#include <filesystem>
#include <memory>
#include <optional>

namespace bobbin::golden {

class Host {
 public:
  // `changed`: see register_workflows.
  Host(std::filesystem::path directory, EngineOptions options);
  ~Host() { crash(); }
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  void open(bool changed = false);
  // The engine vanishes with all that is not committed.
  void crash();
  void close() { engine_.reset(); }

  Engine& engine() { return *engine_; }
  EngineOptions& options() { return options_; }
  testing::VirtualClock& clock() { return *clock_; }
  std::size_t running_activities() const { return runner_->tasks.size(); }

  void settle() { executor_->run_all(); }
  // Time passes, stopping at every moment at which the engine wants to run.
  void pass(Duration time);
  // Ends the oldest running activity: with its real code, or with a failure of this type.
  void run_activity();
  void fail_activity(const std::string& type, const std::string& message, bool non_retryable = false);

  // A call in callback form, settled; throws the answer's error.
  template <class T, class F>
  T called(F call) {
    std::optional<Result<T>> answer;
    call(*engine_, Callback<T>([&answer](const Result<T>& result) { answer = result; }));
    settle();
    if (!answer) throw Closed("the call was not answered");
    if (answer->error) throw_error(answer->error);
    return answer->value;
  }
  template <class In>
  Accepted start(const InstanceName& name, const In& input, const StartOptions& options = {}) {
    return called<Accepted>([&](Engine& engine, auto done) { engine.start(name, input, options, done); });
  }
  template <class T>
  Accepted event(const InstanceName& name, const std::string& event, const T& value, const EventOptions& options = {}) {
    return called<Accepted>([&](Engine& engine, auto done) { engine.raise_event(name, event, value, options, done); });
  }
  template <class In, class T>
  Accepted event_with_start(const InstanceName& name, const In& input, const std::string& event, const T& value,
                            const EventOptions& options = {}) {
    return called<Accepted>(
        [&](Engine& engine, auto done) { engine.raise_event_with_start(name, input, event, value, options, done); });
  }
  Accepted terminate(const InstanceName& name, const std::string& reason, const TerminateOptions& options = {}) {
    return called<Accepted>([&](Engine& engine, auto done) { engine.terminate(name, reason, options, done); });
  }
  Accepted redrive(Position letter, const OperatorOptions& options = {}) {
    return called<Accepted>([&](Engine& engine, auto done) { engine.redrive(letter, options, done); });
  }
  Accepted purge(const InstanceName& name, const OperatorOptions& options = {}) {
    return called<Accepted>([&](Engine& engine, auto done) { engine.purge(name, options, done); });
  }
  Accepted discard(Position letter, const OperatorOptions& options = {}) {
    return called<Accepted>([&](Engine& engine, auto done) { engine.discard(letter, options, done); });
  }
  InstanceStatus status(const InstanceName& name) {
    return called<InstanceStatus>([&](Engine& engine, auto done) { engine.status(name, done); });
  }
  std::vector<Ledger> ledgers() {
    return called<std::vector<Ledger>>([](Engine& engine, auto done) { engine.ledgers(done); });
  }
  // The newest of an orchestrator.
  DeadLetter dead_letter(const InstanceName& name);

 private:
  void end_activity(ActivityOutcome outcome);

  std::filesystem::path directory_;
  EngineOptions options_;
  std::uint64_t seed_ = 1;
  std::shared_ptr<bool> power_;
  std::shared_ptr<testing::VirtualClock> clock_ = std::make_shared<testing::VirtualClock>();
  std::shared_ptr<testing::ManualExecutor> executor_;
  std::shared_ptr<testing::ManualRunner> runner_;
  std::unique_ptr<Engine> engine_;
};

}  // namespace bobbin::golden
