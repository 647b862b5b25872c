// What becomes of the events that nobody took when a run ends (S12, P4). Pure.
#pragma once

#include <bobbin/options.hpp>
#include <bobbin/state.hpp>

#include <optional>
#include <vector>

namespace bobbin {

struct EndingInput {
  RunOutcome outcome = RunOutcome::completed;
  bool took_event = false;            // the run, in any of its turns
  bool discard = false;               // the operator asked to
  bool forced_successor = false;      // a start that replaces the run takes all unread events
  std::uint32_t failed_in_a_row = 0;  // before this run
  LogTime now{};
  Elapsed elapsed{};
};

struct Ending {
  std::vector<UnreadDisposition> unread;   // as `unread` was given, in order
  std::optional<Position> successor_from;  // the event whose start input the successor gets; set: there is one
  LogTime successor_begins_at{};
};

Ending plan_ending(const EndingInput& input, const std::vector<UnreadEvent>& unread, const EngineOptions& options);

}  // namespace bobbin
