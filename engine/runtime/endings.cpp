#include "engine/runtime/endings.hpp"

#include <algorithm>

namespace bobbin {

namespace {

Duration backoff(std::uint32_t failed_in_a_row, const EngineOptions& options) {
  auto delay = options.failure_backoff_first;
  for (std::uint32_t i = 1; i < failed_in_a_row && delay < options.failure_backoff_cap; ++i) delay *= 2;
  return std::min(delay, options.failure_backoff_cap);
}

}  // namespace

Ending plan_ending(const EndingInput& input, const std::vector<UnreadEvent>& unread, const EngineOptions& options) {
  const auto carries = [&](const UnreadEvent& event) { return event.carry_count + (input.took_event ? 0 : 1); };
  const auto alive = [&](const UnreadEvent& event) { return carries(event) < options.carries_before_dead; };
  const auto starter = std::find_if(unread.begin(), unread.end(),
                                    [&](const UnreadEvent& event) { return event.with_start && alive(event); });
  const bool successor = input.forced_successor || starter != unread.end();

  Ending ending;
  for (const auto& event : unread) {
    if (input.discard)
      ending.unread.push_back({event.position, UnreadFate::discarded, event.carry_count, {}});
    else if (successor ? !alive(event) : event.with_start)  // without a successor, every starter is at its last carry
      ending.unread.push_back({event.position, UnreadFate::dead_lettered, carries(event), {}});
    else if (successor)
      ending.unread.push_back({event.position, UnreadFate::successor, carries(event), {}});
    else
      ending.unread.push_back(
          {event.position, UnreadFate::mailbox, event.carry_count, input.elapsed + options.mailbox_time_to_live});
  }
  if (input.discard || starter == unread.end()) return ending;
  ending.successor_from = starter->position;
  ending.successor_begins_at = input.now;
  if (input.outcome == RunOutcome::failed)
    ending.successor_begins_at = add_saturating(input.now, backoff(input.failed_in_a_row + 1, options));
  return ending;
}

}  // namespace bobbin
