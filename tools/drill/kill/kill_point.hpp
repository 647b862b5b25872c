// A call of the process under test at which it dies: right before or right after the n-th write, sync or send. So
// deaths fall between any two steps of a commit, a checkpoint, a recovery, an acknowledgement and a delivery.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

namespace bobbin::drill {

// Where the killer (killer.cpp), loaded before the C library of the process, finds the point; nothing dies without.
inline constexpr auto kill_point_variable = "BOBBIN_KILL_POINT";

enum class KilledCall : char {
  write = 'w',  // at a place of a file: the log's pages
  sync = 's',   // of a file or a directory
  send = 'n',   // on a connection: answers to clients, deliveries
};

struct KillPoint {
  KilledCall call = KilledCall::write;
  std::uint32_t number = 1;  // of such calls, counted from 1
  bool after = false;        // else the call is not made
};

inline std::string text_of(const KillPoint& point) {
  return std::string{static_cast<char>(point.call), point.after ? '+' : '-'} + std::to_string(point.number);
}

// False if the text is none.
inline bool read_kill_point(const char* text, KillPoint& point) {
  char call = 0, side = 0;
  if (!text || std::sscanf(text, "%c%c%u", &call, &side, &point.number) != 3) return false;
  point.call = static_cast<KilledCall>(call);
  point.after = side == '+';
  return true;
}

}  // namespace bobbin::drill
