// Runs of a seed in processes of their own, so that one that ends by an assertion is an outcome like others; and the
// search for a short list of steps that still breaks the same.
#pragma once

#include "tests/sim/simulation.hpp"

namespace bobbin::sim {

Outcome simulate_apart(const Plan& plan);

// The plan with the fewest steps found that still breaks something. Tries at most `tries` lists.
Plan shrink(Plan plan, int tries = 600);

}  // namespace bobbin::sim
