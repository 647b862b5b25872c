#include <bobbin/store.hpp>

#include <algorithm>

namespace bobbin {

std::optional<Elapsed> first_expiry(const InstanceState& state) {
  std::optional<Elapsed> first;
  if (state.live()) return first;
  for (const auto& event : state.unread)
    if (!first || event.mailbox_expires_at < *first) first = event.mailbox_expires_at;
  return first;
}

std::optional<LogTime> next_due(const InstanceState& state) {
  std::optional<LogTime> due;
  const auto consider = [&due](LogTime time) { due = due ? std::min(*due, time) : time; };
  if (const auto expiry = first_expiry(state)) {
    const auto left = *expiry > state.updated_elapsed ? *expiry - state.updated_elapsed : Duration{};
    consider(add_saturating(state.updated_at, left));
  }
  if (!state.live()) {
    if (state.being_purged()) return LogTime{};  // an open takes it up again
    return due;
  }
  if (state.quarantined) return LogTime{};  // the next open tries whether it matches again (S16)
  if (!state.begun)
    consider(state.begins_at);
  else if (!state.backlog.empty())
    consider(LogTime{});
  for (const auto& timer : state.timers) consider(timer.due);
  for (const auto& activity : state.activities) consider(activity.retry_at);
  return due;
}

void Batch::clear() {
  records.clear();
  forgotten.clear();
  purge.reset();
  instances.clear();
  ledgers.clear();
  dead_letters.clear();
  dedup_chunks.clear();
  dedup_runs.clear();
  dropped_dedup_runs.clear();
  leftovers_gone = false;
  log_state.reset();
  fold_from = 0;
  rows_from = 0;
}

}  // namespace bobbin
