// What the engine takes from outside, so that a whole engine can run on one thread under one seed and a virtual clock.
#pragma once

#include <bobbin/activity.hpp>
#include <bobbin/error.hpp>
#include <bobbin/payload.hpp>
#include <bobbin/types.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace bobbin {

class Registry;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Duration boot_time() = 0;  // CLOCK_BOOTTIME: monotonic, counts suspension
  virtual LogTime wall_time() = 0;
};

// The engine's three serial lines of work.
enum class Lane { orchestrator, writer, completion };

// Runs each lane's work on one thread at a time. Work is a function that does what there is to do and returns.
class Executor {
 public:
  virtual ~Executor() = default;
  // Once, before the first wake: what each lane runs.
  virtual void start(std::function<void(Lane)> work) = 0;
  // The lane's work runs at least once after this call. Any thread; cheap when a wake is pending already.
  virtual void wake(Lane lane) = 0;
  // As wake(to), called by the work of `from` when it has nothing more to do: its thread may go on with the work of
  // `to`, which must not pass on itself then.
  virtual void pass_on(Lane from, Lane to) = 0;
  // Asks for a run of the lane's work after `delay`, unless it runs before and asks anew. From the lane itself.
  virtual void wake_after(Lane lane, std::optional<Duration> delay) = 0;
  // Returns once `done` holds, which lanes' work brings about. Not from a lane.
  virtual void drive_until(const std::function<bool()>& done) = 0;
  // Returns when no work runs and none will. Not from a lane.
  virtual void stop() = 0;
};

struct ActivityOutcome {
  PayloadPtr result;
  ErrorInfo error;  // code none: it succeeded
};
struct ActivityTask {
  std::string name;
  PayloadPtr input;
  ActivityContext context;
  std::function<void(ActivityOutcome)> done;  // once, unless the runner is stopped before; on any thread; never throws
};

class ActivityRunner {
 public:
  virtual ~ActivityRunner() = default;
  virtual std::size_t capacity() const = 0;  // how many tasks it takes at once
  virtual void run(ActivityTask task) = 0;   // never more than capacity() unfinished ones
  // Returns when all running tasks are done or `limit` has passed; false in the second case. No run() follows. Tasks
  // that have not begun are let go, as if a crash had cut them.
  virtual bool stop(Duration limit) = 0;
};

// Everything the engine uses but the store. Empty members get the production implementation.
struct Ports {
  std::shared_ptr<Clock> clock;
  std::shared_ptr<Executor> executor;
  std::shared_ptr<ActivityRunner> activities;
  std::function<std::uint64_t()> random;  // jitter of retries and new ids; called on the orchestrator lane
};

}  // namespace bobbin
