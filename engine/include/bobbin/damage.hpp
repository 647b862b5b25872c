// Damage of one record or row is the affair of who needs it (P10): a call is refused, a run held, and all others go on.
// Damage of what holds them all stops the engine.
#pragma once

#include <bobbin/error.hpp>

#include <optional>

namespace bobbin {

// Whether it is one record or row that cannot be read, and not the log as a whole. Any thread.
inline bool is_damaged_record(const Error& error) {
  return error.code() == ErrorCode::corrupt && !dynamic_cast<const CorruptLog*>(&error);
}

// Runs `act`. Returns what it met, if that was a damaged record or row; all else that it throws passes through.
template <class Act>
std::optional<Corrupt> damage_met_in(Act act) {
  try {
    act();
  } catch (const Corrupt& error) {
    if (!is_damaged_record(error)) throw;
    return error;
  }
  return std::nullopt;
}

}  // namespace bobbin
