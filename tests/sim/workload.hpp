// The orchestrators that simulated clients call: small, and between them all that an orchestrator can do. Each answers
// with the values of the events it took, in order, each followed by a comma; its input is a number, from which its
// policies follow.
#pragma once

#include "tests/sim/model_state.hpp"

#include <bobbin/registry.hpp>

#include <array>

namespace bobbin::sim {

inline constexpr std::array orchestrators{"pair",   "window", "failing", "retrying", "branching", "refusing", "waiters",
                                          "timers", "saga",   "crowd",   "patient",  "fickle",    "versioned"};
inline constexpr auto work = "work";  // the activity of all of them

void register_workload(Registry& registry, CodeVersion code);

}  // namespace bobbin::sim
