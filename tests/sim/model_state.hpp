// What the model remembers of a log.
#pragma once

#include <bobbin/record.hpp>
#include <bobbin/state.hpp>

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace bobbin::sim {

// Which code an engine is opened with: the orchestrator "versioned" in one of two versions, or not at all.
struct CodeVersion {
  int version = 1;
  bool absent = false;
};
inline constexpr auto versioned_orchestrator = "versioned";

enum class Fate { pending, consumed, dead, expired, discarded };

struct ModelEvent {
  InstanceId instance;
  std::string name;
  std::string value;
  LogTime accepted_at{};
  std::string dedup_id;
  bool with_start = false;
  std::string start_input;
  std::uint32_t carries = 0;
  Fate fate = Fate::pending;
  Elapsed expires_at{};  // in a mailbox
  Lsn source = 0;        // the record that holds the newest copy
};

// Activities have inputs that no other activity of their run has: so runner and log can name them to each other.
struct ActivityKey {
  RunId run = 0;
  std::string input;
  auto operator<=>(const ActivityKey&) const = default;
};
struct ModelActivity {
  ActivityKey key;
  Position decision;
  ActivityOptions options;
  LogTime scheduled_at{};
  std::uint32_t failures = 0;
  std::uint64_t opens_before = 0;  // opens when it was scheduled
  LogTime retry_at{};
};
struct GivenOutcome {
  std::uint32_t attempt = 0;
  ErrorInfo error;
  std::string result;
};

struct ModelRun {
  RunId id = 0;
  LogTime begins_at{};
  bool begun = false;
  bool took_event = false;
  bool quarantined = false;
  int version = 0;  // of the code that took its first turn
  std::uint32_t failed_before = 0;
  std::uint64_t sequence = 0;
  Lsn last_record = 0;
  std::vector<Record> history;
  struct Waiting {
    Position position;
    LogTime at{};
  };
  std::deque<Waiting> backlog;
  std::map<std::uint32_t, LogTime> timers;
  std::map<std::uint32_t, ModelActivity> activities;
  std::vector<std::string> taken;  // values of the events it took, in order
};

// What must begin in the commit that ended a run.
struct Heir {
  std::vector<Position> events;
  bool replaced = false;  // by a caller's start: its input is the caller's
  std::string input;
  LogTime begins_at{};
  std::uint32_t failed_before = 0;
};

struct ModelInstance {
  InstanceName name;
  std::optional<ModelRun> live;
  std::optional<Heir> heir;
  std::vector<Position> unread;  // of the live run, or of the mailbox
  RunId last_run = 0;
  RunStatus last_status = RunStatus::none;
  std::uint32_t run_number = 0;
  Lsn last_lsn = 0;
  Elapsed ended_at{};
  Lsn purged_through = 0;       // an operator let its history go up to here
  Lsn gone_through = 0;         // the same, remembered when its row is forgotten
  std::uint64_t forgotten = 0;  // how many times its row was

  // Something was accepted for it, and has not been purged.
  bool known() const { return last_lsn != 0 && (purged_through == 0 || last_run != 0 || !unread.empty()); }
};

struct ModelLetter {
  InstanceId instance;
  RunId run = 0;
  bool is_activity = false;
  std::string input;   // of the activity
  Lsn decision = 0;    // record with its input
  Lsn settled_in = 0;  // last act on it
  DeadLetterState state = DeadLetterState::dead;
};

struct ModelLedger {
  std::uint64_t accepted = 0;
  std::map<Fate, std::uint64_t> events;
  std::uint64_t failed_activities = 0;
};

// The answer that a dedup id must get again.
struct ModelAcceptance {
  Position position;
  LogTime accepted_at{};
  Elapsed elapsed{};
};

struct ModelRecord {
  InstanceId instance;
  RunId run = 0;
  Elapsed elapsed{};
};

inline std::string bytes_of(const PayloadPtr& payload) { return payload ? payload->bytes : std::string(); }

}  // namespace bobbin::sim
