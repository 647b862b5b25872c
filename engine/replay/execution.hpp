// One run in memory: its fibers, given inputs one by one and answering with decisions. Pure: no store, no threads, no
// clock. Live turns and replays go the same way.
#pragma once

#include "engine/replay/context_core.hpp"

#include <bobbin/registry.hpp>

#include <optional>

namespace bobbin {

class Execution {
 public:
  Execution(const OrchestratorCode& code, InstanceName name, RunId run, std::shared_ptr<StackPool> stacks);

  ~Execution() { unwind(); }
  Execution(const Execution&) = delete;
  Execution& operator=(const Execution&) = delete;

  // Every turn begins with the log time of its record.
  void begin_turn(LogTime now, bool replaying);

  // Applies an input and runs the fibers until all of them wait. AcceptedInput must have been resolved by the caller.
  // Inputs after the end change nothing.
  void apply(const Input& input);

  // The timer that is to fire before anything accepted at `time` (S5): due by then, in due order. Timers that this
  // turn created are left to the next one.
  struct DueTimer {
    std::uint32_t ordinal = 0;
    bool created_in_this_turn = false;
  };
  std::optional<DueTimer> due_timer(LogTime time) const;

  // An input is about to be applied: brings to the cache what it touches, each step following what the one before
  // has brought.
  void prefetch_waits() const { core_.prefetch_waits(); }
  void prefetch_fiber() const { core_.prefetch_fiber(); }

  // What the turn decided since begin_turn.
  const std::vector<Decision>& decisions() const { return core_.decisions(); }
  std::vector<Decision> take_decisions() { return std::move(core_.decisions()); }

  // Set once the orchestrator's code has returned or thrown; `unread` is left empty.
  const std::optional<RunEnd>& end() const { return end_; }

  // Unwinds the fibers, unless the end has done so. Returns how many refused and were given up (S19), once.
  std::size_t unwind();

 private:
  void start(const StartInput& start);
  void run_code(const PayloadPtr& input);

  const OrchestratorCode& code_;
  std::size_t refused_ = 0;  // fibers that the end could not unwind
  std::optional<RunEnd> end_;
  std::uint32_t last_timer_before_ = 0;  // ordinal up to which timers are of earlier turns
  detail::ContextCore core_;
  Context context_{core_};  // here and not on the main fiber's stack: child fibers use it too
};

}  // namespace bobbin
