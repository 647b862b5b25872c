// What clients ask of an engine, and what they are answered.
#pragma once

#include <bobbin/error.hpp>
#include <bobbin/state.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace bobbin {

// `start` on an id whose run lives (S8).
enum class IfLive { use_existing, fail, terminate_existing };
// `start` on an id whose last run has ended (S8).
enum class IfFinished { allow, only_if_failed, reject };

struct StartOptions {
  std::string dedup_id{};  // at most `name_bytes_max` bytes; empty: none
  IfLive if_live = IfLive::use_existing;
  IfFinished if_finished = IfFinished::allow;
};
struct EventOptions {
  std::string dedup_id{};
};
struct TerminateOptions {
  std::string dedup_id{};
  bool discard_events = false;  // unread events are discarded instead of carried (S12)
};

struct OperatorOptions {
  std::string dedup_id{};
  std::string note{};  // kept in the log, for people
};

enum class Acceptance {
  started,    // a new run
  existing,   // `start` found a live run and used it; the input was not used
  appended,   // to the live run
  mailbox,    // no run lives: kept for the next one (S10)
  successor,  // the accepting record ended the live run; the event is its successor's
  duplicate,  // the dedup id was accepted before; run, position and time are those of that first acceptance (S13)
  done,       // of other acts
};
const char* to_string(Acceptance acceptance);

// The answer to everything that changes something. Given only once it is durable (P1, S24).
struct Accepted {
  Acceptance how = Acceptance::done;
  InstanceId id;
  RunId run = 0;
  std::uint32_t run_number = 0;
  Position position;
  LogTime accepted_at{};
};

struct InstanceStatus {
  InstanceState state;
  PayloadPtr result;  // of a completed run
};

struct ListQuery {
  std::optional<InstanceId> after;  // the last id of the page before
  std::size_t limit = 100;          // 1 to 1,000
};

// Counters of one engine since it was opened; any thread may read them at any time.
struct EngineStats {
  std::uint64_t accepted = 0, duplicates = 0, refused = 0;
  std::uint64_t refused_storage_full = 0;  // of the refused (S26)
  std::uint64_t records = 0, commits = 0, turns = 0;
  std::uint64_t replays = 0, evictions = 0, payload_differences = 0;
  std::uint64_t late_inputs = 0;      // for a run that has ended (S7)
  std::uint64_t unregistered = 0;     // instances and activities that wait for their code (S17)
  std::uint64_t quarantined = 0;      // since the open
  std::uint64_t damage_met = 0;       // times that a damaged record or row was met (P10); EngineOptions::log was told
  std::uint64_t parked_for_good = 0;  // fibers that swallowed their unwinding (S19)
  std::uint64_t activity_attempts = 0, activity_retries = 0, activity_failures = 0;
  std::uint64_t purged = 0;          // records whose retention was over (S28)
  std::uint64_t inbox_requests = 0;  // that the engine has not taken yet
  std::uint64_t resident = 0, in_memory = 0, timers_in_memory = 0;
  std::uint64_t activities_running = 0;  // and those next in line: all that the runner has
  Lsn last_lsn = 0, durable_lsn = 0, fold_from = 0;
  bool storage_full = false;  // new work is refused until the disk has room again (S26)
  bool failed = false;        // a commit failed: only reopening helps
};

// A value or the reason why there is none.
template <class T>
struct Result {
  ErrorInfo error;
  T value{};
  explicit operator bool() const { return !error; }
};
// Runs on the completion thread, in log order; must not block, throw, or make a blocking call to the engine (S24).
template <class T>
using Callback = std::function<void(const Result<T>&)>;

}  // namespace bobbin
