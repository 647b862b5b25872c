// Folded state: what the log says about instances, ledgers and dead letters. Values that the fold computes
// (engine/fold), the store keeps as checkpoint rows, and tools print. Every row carries the LSN it stands for.
#pragma once

#include <bobbin/record.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace bobbin {

enum class RunStatus : std::uint16_t { none = 0, running = 1, completed = 2, failed = 3, terminated = 4 };
const char* to_string(RunStatus status);

// An accepted event that no waiter has taken.
struct UnreadEvent {
  Position position;
  std::string name;
  LogTime accepted_at{};
  std::uint32_t carry_count = 0;
  bool with_start = false;
  Lsn source = 0;  // the record whose copy of the event the run replays: the accepting one, or its start record
  Elapsed mailbox_expires_at{};  // in the mailbox only
};

struct PendingTimer {
  std::uint32_t ordinal = 0;
  LogTime due{};
};

struct PendingActivity {
  std::uint32_t ordinal = 0;
  std::string name;
  Position decision;  // record and decision index that hold the input and the options
  std::uint32_t failures = 0;
  std::uint32_t scheduled_in_open = 0;  // count of opens when it was scheduled (attempt numbers, S21)
  LogTime scheduled_at{};
  LogTime retry_at{};  // not before; zero: at once
};

// Everything the engine knows of an instance without replaying it.
struct InstanceState {
  Lsn lsn = 0;                // the last record folded into it
  LogTime updated_at{};       // of that record
  Elapsed updated_elapsed{};  //
  Elapsed ended_elapsed{};    // when the last run ended
  InstanceId id;
  InstanceName name;
  RunStatus status = RunStatus::none;
  RunId run = 0;  // the live or last run
  std::uint32_t run_number = 0;
  std::uint32_t failed_in_a_row = 0;
  std::uint64_t run_sequence = 0;
  Lsn last_record = 0;     // of the run: the head of its backward chain
  Lsn end_record = 0;      // 0 while it lives
  Lsn purged_through = 0;  // history up to here is to go, however young it is (S28)
  LogTime started_at{};
  LogTime begins_at{};  // see StartInput
  bool begun = false;   // its code has run
  bool took_event = false;
  bool quarantined = false;
  ErrorInfo error;                   // of a failed or terminated run
  std::vector<Position> backlog;     // accepted inputs that no turn has been given, in order
  std::vector<UnreadEvent> unread;   // of the live run, or the mailbox when none lives; in order
  std::vector<PendingTimer> timers;  // in creation order
  std::vector<PendingActivity> activities;

  bool live() const { return status == RunStatus::running; }
  // Purged since its last run ended: its history is on its way out.
  bool being_purged() const { return !live() && purged_through != 0 && purged_through == lsn; }
  // Nothing was ever accepted for it, or all that was has been purged.
  bool unknown() const { return status == RunStatus::none && unread.empty() && (lsn == 0 || purged_through != 0); }
};

// S14: accepted = consumed + pending + dead_lettered + expired + discarded. One for each orchestrator.
struct Ledger {
  Lsn lsn = 0;
  std::string orchestrator;
  std::uint64_t accepted = 0;
  std::uint64_t consumed = 0;
  std::uint64_t pending = 0;
  std::uint64_t dead_lettered = 0;
  std::uint64_t expired = 0;
  std::uint64_t discarded = 0;
  std::uint64_t failed_activities = 0;  // dead letters of activities, outside the event ledger (S31)

  bool balanced() const { return accepted == consumed + pending + dead_lettered + expired + discarded; }
};

enum class DeadLetterState : std::uint16_t { dead = 1, redriving = 2, redriven = 3, discarded = 4 };
const char* to_string(DeadLetterState state);

// An event carried too often (S12), or a failed activity that asked to be kept (S31).
struct DeadLetter {
  Lsn lsn = 0;
  Position position;  // its name: of the event, or of the record and input that reported the failure
  DeadLetterState state = DeadLetterState::dead;
  InstanceName name;
  RunId run = 0;
  LogTime at{};
  ErrorInfo cause;
  bool is_activity = false;
  std::string what;            // the event's or activity's name
  Position source;             // where its payload stands: an event's input, or an activity's decision
  std::uint32_t ordinal = 0;   // of the activity
  std::uint32_t redrives = 0;  //
};

// State of the log as a whole.
struct LogState {
  Lsn lsn = 0;
  LogTime log_time{};
  Elapsed elapsed{};
  std::uint32_t opens = 0;
  Id128 epoch;
};

// ---- Dedup memory (S13): immutable sorted runs ----

struct DedupEntry {
  Id128 hash;  // of instance id and dedup id
  Position position;
  RunId run = 0;
  LogTime accepted_at{};
};
struct DedupChunk {  // consecutive entries of a run, sorted by hash
  // As many as a store keeps together; of more it makes several chunks.
  static constexpr std::size_t entries_together = 39;
  std::uint64_t run = 0;
  std::vector<DedupEntry> entries;
};
struct DedupRun {  // written when all its chunks are
  std::uint64_t run = 0;
  std::uint64_t entries = 0;
  Lsn last_lsn = 0;  // it holds every id accepted after the run before it and up to here
  Elapsed newest{};  // elapsed time of the newest entry: droppable one horizon later
};

}  // namespace bobbin
