// Replay: a recorded run repeated, decision by decision. The one place that finds non-determinism (P5, S15, S16).
#pragma once

#include "engine/replay/execution.hpp"

#include <bobbin/record.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace bobbin {

// A run's records in log order, its start record first. Self-contained: carried events are copied into that.
using History = std::vector<Record>;

struct Divergence {
  Lsn turn = 0;
  std::string expected;  // as recorded
  std::string found;     // as the code decides now
};

struct ReplayResult {
  std::optional<Divergence> divergence;
  std::uint64_t turns = 0;
  std::uint64_t payload_differences = 0;  // same decision, other payload; a divergence if strict
};

// Gives the run's recorded inputs to a fresh execution and compares what it decides.
ReplayResult replay(const History& history, Execution& execution, bool strict);

// The accepted input that stands at `position` in one of these records. Throws Corrupt if none does.
const Input& accepted_input(const History& history, Position position);

}  // namespace bobbin
