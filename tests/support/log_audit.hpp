// What the records of a log say about every event, worked out apart from the engine's fold: the second opinion that the
// ledger (S14) and the promises P2 to P4 are held against.
#pragma once

#include <bobbin/record.hpp>
#include <bobbin/state.hpp>

#include <map>
#include <string>
#include <vector>

namespace bobbin::testing {

enum class Fate { pending, consumed, dead, expired, discarded };

struct LogAudit {
  struct EventFate {
    std::string orchestrator;
    InstanceId instance;
    std::string name;
    std::string value;
    Fate fate = Fate::pending;
    RunId consumer = 0;  // of a consumed one
  };

  explicit LogAudit(const std::vector<Record>& records);

  // The counts of the events that belong to this orchestrator's instances.
  Ledger ledger(const std::string& orchestrator) const;

  std::map<Position, EventFate> events;
  std::map<std::string, std::uint64_t> times_accepted;  // by instance and dedup id
  std::uint64_t runs = 0;
  std::vector<std::string> violations;  // of "one live run a key" and "no event twice", in log order

 private:
  struct Key {
    InstanceName name;
    RunId live = 0;
  };
  void read(const Record& record);
  void read_input(const Record& record, const Input& input);
  void read_start(const Record& record, const StartInput& start);
  void read_event(const Record& record, const Event& event);
  void settle(const Record& record, Position position, Fate fate);
  void read_end(const Record& record, const RunEnd& end);
  void read_act(const Record& record, const OperatorActBody& act);
  void broken(const Record& record, const std::string& what);

  std::map<InstanceId, Key> keys_;
};

}  // namespace bobbin::testing
