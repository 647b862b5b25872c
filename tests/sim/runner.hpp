// Activities that run until the simulation ends them: well, badly, late or never.
#pragma once

#include "tests/sim/clock.hpp"
#include "tests/sim/model.hpp"
#include "tests/sim/random.hpp"

#include <bobbin/ports.hpp>

#include <map>
#include <vector>

namespace bobbin::sim {

// Outlives the engines of a seed: attempts cut by a crash go on in it, and may end later.
class SimRunner {
 public:
  SimRunner(Model& model, SimClock& clock, Verdict& verdict, Trace& trace, std::size_t capacity)
      : model_(model), clock_(clock), verdict_(verdict), trace_(trace), capacity_(capacity) {}

  // The runner of one open.
  std::shared_ptr<ActivityRunner> for_engine();
  // The engine is gone: what runs for it becomes late.
  void engine_gone();

  std::size_t running() const { return tasks_.size(); }
  bool full() const { return tasks_.size() >= capacity_; }
  bool runs(const ActivityKey& key) const;
  // The attempts to choose from; ends one with this outcome.
  const ActivityTask& task(std::size_t index) const { return tasks_[index]; }
  void end(std::size_t index, ActivityOutcome outcome);
  // One that a crash cut ends now, long after its engine.
  void end_late(std::size_t index);
  std::size_t late() const { return late_.size(); }

 private:
  class Port;
  void start(ActivityTask task);
  void check_attempt(const ActivityTask& task, const ActivityKey& key);

  Model& model_;
  SimClock& clock_;
  Verdict& verdict_;
  Trace& trace_;
  const std::size_t capacity_;
  std::vector<ActivityTask> tasks_;
  std::vector<ActivityTask> late_;
  std::map<std::string, ActivityKey> by_idempotency_key_;
  std::map<ActivityKey, std::string> idempotency_keys_;
};

}  // namespace bobbin::sim
