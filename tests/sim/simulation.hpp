// One seed from its first step to its quiet end.
#pragma once

#include "tests/sim/steps.hpp"

#include <bobbin/store.hpp>

#include <functional>
#include <memory>
#include <optional>

namespace bobbin::sim {

struct Plan {
  std::uint64_t seed = 1;
  std::size_t steps = 160;
  Selection selection;
  std::optional<bool> lmdb;                                                    // else the seed says
  std::optional<bool> gateway;                                                 //
  bool show = false;                                                           // steps and records, on stderr
  std::function<std::unique_ptr<Store>(std::unique_ptr<Store>)> around_store;  // for tests of the simulation itself
};

struct Outcome {
  std::string broken;  // the promise; empty: all were kept
  std::uint64_t trace = 0;
  std::uint64_t steps = 0;
  std::uint64_t crashes = 0;
};

// Does the plan's steps, then lets everything come to its end without faults.
Outcome simulate(const Plan& plan);

}  // namespace bobbin::sim
