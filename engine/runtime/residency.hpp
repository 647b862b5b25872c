// Which instances have fibers in memory. Loads a run by replaying it, and unwinds idle ones beyond the cap.
#pragma once

#include "engine/replay/replay.hpp"
#include "engine/runtime/core.hpp"

#include <list>
#include <memory>

namespace bobbin {

// Orchestrator lane only.
class Residency {
 public:
  explicit Residency(Core& core) : core_(core), stacks_(std::make_shared<StackPool>(core.options.fiber_stack_bytes)) {}

  // Whether one more run may become resident now; evicts an idle one for it if need be. Only instances whose last
  // record is durable are evicted.
  bool make_room(Lsn durable);

  // A run that starts with the next record. There must be room and code.
  void begin(Instance& instance, const InstanceName& name, const Id128& epoch);

  // Replays the live run into memory; there must be room. False: it was quarantined, or its code is not registered
  // (S16, S17); then it is held. Throws Corrupt for a damaged history.
  bool load(Instance& instance);

  void touch(Instance& instance) { recent_.splice(recent_.begin(), recent_, instance.recently_used); }
  // Unwinds the run's fibers, because it has ended or is idle.
  void remove(Instance& instance);
  void remove_all();
  std::size_t resident() const { return recent_.size(); }

 private:
  void settle(Instance& instance, std::unique_ptr<Execution> execution, const Id128& epoch);
  History history_of(const InstanceState& state);
  void unwind(const Instance& instance, Execution& execution);
  void hold_without_code(Instance& instance);
  void quarantine(Instance& instance, const Divergence& divergence);

  Core& core_;
  std::shared_ptr<StackPool> stacks_;
  std::list<Instance*> recent_;  // most recently used first
};

}  // namespace bobbin
