// What the log's time may be while the gateway's wall clock jumps (S4), as the drill knows it from its own clock. Pure.
#pragma once

#include "tools/drill/journal.hpp"

#include <vector>

namespace bobbin::drill {

class LogTimeBounds {
 public:
  // The wall clock of the running gateway is set, against the drill's.
  void stepped(LogTime when, Duration offset);
  // The gateway was killed, and has been opened again by then, with its wall clock there.
  void reopened(LogTime killed, LogTime opened, Duration offset);

  LogTime earliest(LogTime when) const { return when + at(when).low; }
  LogTime latest(LogTime when) const { return when + at(when).high; }
  // A message's times as the log's clock may have told them: first sent at the earliest, acknowledged at the latest.
  SentMessages in_log_time(const SentMessages& sent) const;

 private:
  // From then on, how far the log's time may be ahead of the drill's.
  struct Lead {
    LogTime from;
    Duration low{};
    Duration high{};
  };

  static bool is_before(LogTime when, const Lead& lead) { return when < lead.from; }
  const Lead& at(LogTime when) const;
  // All of from then on, one that begins there included.
  std::vector<Lead*> since(LogTime when);

  std::vector<Lead> leads_{{LogTime::min(), {}, {}}};
};

}  // namespace bobbin::drill
