#include "tools/drill/clock/log_time_bounds.hpp"

#include <algorithm>

namespace bobbin::drill {

namespace {

// The log's time does not follow a smaller lead of the wall clock (S4).
constexpr Duration lead_ignored = std::chrono::seconds(1);
// A step is noticed with the next turn.
constexpr Duration noticed_within = std::chrono::milliseconds(500);
// Under load the last record before a death is not older.
constexpr Duration last_record_within = std::chrono::seconds(1);

}  // namespace

void LogTimeBounds::stepped(LogTime when, Duration offset) {
  const auto lead = offset - leads_.back().high;
  const auto followed = lead > lead_ignored ? offset : offset - lead_ignored;
  for (auto* later : since(when)) later->high = std::max(later->high, offset);
  for (auto* later : since(when + noticed_within)) later->low = std::max(later->low, followed);
}

// The later of the last record's time and the wall clock. What had not been noticed at the death never was.
void LogTimeBounds::reopened(LogTime killed, LogTime opened, Duration offset) {
  const auto known = at(killed).low - (opened - killed) - last_record_within;
  for (auto* later : since(killed)) {
    later->low = std::max(known, offset);
    later->high = std::max(later->high, offset);
  }
}

std::vector<LogTimeBounds::Lead*> LogTimeBounds::since(LogTime when) {
  auto lead = at(when);
  lead.from = when;
  leads_.insert(std::upper_bound(leads_.begin(), leads_.end(), when, is_before), lead);
  std::vector<Lead*> later;
  for (auto& one : leads_)
    if (one.from >= when) later.push_back(&one);
  return later;
}

SentMessages LogTimeBounds::in_log_time(const SentMessages& sent) const {
  auto moved = sent;
  for (auto& message : moved) {
    message.first_sent = earliest(message.first_sent);
    message.acknowledged = latest(message.acknowledged);
  }
  return moved;
}

const LogTimeBounds::Lead& LogTimeBounds::at(LogTime when) const {
  const auto behind = std::upper_bound(leads_.begin(), leads_.end(), when, is_before);
  return *std::prev(behind);
}

}  // namespace bobbin::drill
