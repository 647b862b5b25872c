// One thing that an orchestrator waits for.
#pragma once

#include "engine/fibers/fiber_group.hpp"

#include <bobbin/awaitable.hpp>
#include <bobbin/error.hpp>
#include <bobbin/payload.hpp>

#include <boost/container/small_vector.hpp>

#include <string>

namespace bobbin::detail {

class ContextCore;

enum class OperationKind { timer, event_wait, activity, fiber };
// pending -> done | timed_out | cancelled; the last three are final.
enum class OperationState { pending, done, timed_out, cancelled };

// Owned by its handle; the core refers to it while it is pending.
struct Operation {
  Operation(ContextCore& its_core, OperationKind its_kind, std::uint32_t its_ordinal)
      : core(&its_core), kind(its_kind), ordinal(its_ordinal) {}

  ContextCore* core;
  OperationKind kind;
  OperationState state = OperationState::pending;
  std::uint32_t ordinal;
  std::string event;                 // waits: the name
  const Operation* until = nullptr;  // waits: the timer that bounds it
  FiberTask* task = nullptr;         // fibers
  std::shared_ptr<Operation*> link;  // fibers: the task's way back here, cut by cancel()
  LogTime time{};                    // timers: due; waits: the event's acceptance; bound of a wait while pending
  Position position;                 // waits: of the event
  PayloadPtr value;
  ErrorInfo error;
  mutable boost::container::small_vector<FiberTask*, 2> waiting;  // fibers to wake when it settles

  bool pending() const { return state == OperationState::pending; }
};

}  // namespace bobbin::detail
