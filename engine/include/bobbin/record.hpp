// Records: the atoms of the log, as plain values. The store encodes them (storage/README.md); the fold reads them.
// Every enumerator and every field has a fixed meaning in format 1: members are added, never changed.
#pragma once

#include <bobbin/error.hpp>
#include <bobbin/payload.hpp>
#include <bobbin/retry.hpp>
#include <bobbin/types.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace bobbin {

// An event as accepted. Carried and mailbox events keep position, acceptance time and carry count (S12).
struct Event {
  std::string name;
  PayloadPtr value;
  std::string dedup_id;  // empty: none
  Position position;     // where it was first accepted
  LogTime accepted_at{};
  std::uint32_t carry_count = 0;
  bool with_start = false;  // it came with a start input, which a successor run may need (S12)
  PayloadPtr start_input;
};

// ---- Inputs: what a turn gives to an instance, in this order (S2) ----

struct StartInput {  // makes the record the start record of a new run
  InstanceName name;
  PayloadPtr input;
  std::string dedup_id;
  std::uint32_t run_number = 1;
  RunId predecessor = 0;
  std::uint32_t failed_in_a_row = 0;  // runs before it that failed, without one between that did not
  LogTime begins_at{};                // its code runs from this time on: the backoff of S12
  Id128 epoch;                        // of the log, at the start; part of idempotency keys (S21)
  std::uint64_t engine_flags = 0;     // replay behaviour that this run was born with
  std::vector<Event> carried;         // from its predecessor or the mailbox, in order
};
struct EventInput {  // counted as accepted only where event.position names this record; elsewhere it re-enters
  Event event;
  Elapsed mailbox_expires_at{};  // set when no run is live: it enters the mailbox (S10)
};
struct AcceptedInput {  // an input that an earlier `accepted` record of the run holds
  Position position;    // index counts that record's inputs
};
struct TimerFired {
  std::uint32_t ordinal = 0;
};
struct ActivityCompleted {
  std::uint32_t ordinal = 0;
  std::uint32_t attempt = 1;
  PayloadPtr result;
};
struct ActivityFailed {  // for good: the retry policy is used up or forbids
  std::uint32_t ordinal = 0;
  std::uint32_t attempt = 1;
  ErrorInfo error;
  bool dead_letter = false;  // kept for an operator; its position is (this record, this input's index)
};
struct TerminateInput {
  std::string reason;
  std::string dedup_id;
};
using Input =
    std::variant<StartInput, EventInput, AcceptedInput, TimerFired, ActivityCompleted, ActivityFailed, TerminateInput>;

// ---- Decisions: what the orchestrator's code asked for, in order. Ordinals count a run's context calls. ----

struct ActivityScheduled {
  std::uint32_t ordinal = 0;
  std::string name;
  PayloadPtr input;
  ActivityOptions options;
};
struct ActivityCancelled {
  std::uint32_t ordinal = 0;
};
struct TimerCreated {
  std::uint32_t ordinal = 0;
  LogTime due{};
};
struct TimerCancelled {
  std::uint32_t ordinal = 0;
};
struct EventTaken {
  std::uint32_t ordinal = 0;  // of the wait that took it
  Position position;
};
struct WaitCancelled {
  std::uint32_t ordinal = 0;
  std::string name;  // of the event waited for
};
using Decision =
    std::variant<ActivityScheduled, ActivityCancelled, TimerCreated, TimerCancelled, EventTaken, WaitCancelled>;

// ---- The end of a run ----

enum class RunOutcome : std::uint16_t { completed = 1, failed = 2, terminated = 3 };
enum class UnreadFate : std::uint16_t { successor = 1, mailbox = 2, dead_lettered = 3, discarded = 4 };

struct UnreadDisposition {
  Position position;
  UnreadFate fate = UnreadFate::successor;
  std::uint32_t carry_count = 0;  // from now on
  Elapsed mailbox_expires_at{};   // with fate mailbox
};
struct RunEnd {
  RunOutcome outcome = RunOutcome::completed;
  PayloadPtr result;
  ErrorInfo error;
  std::vector<UnreadDisposition> unread;  // every unread event, in order (S12)
};

// ---- Record bodies, one a kind ----

struct OpenedBody {  // the engine opened the log
  Id128 epoch;
  LogTime wall_time{};
  std::string opener;  // version and process id, for people
};
struct AcceptedBody {  // durable, and given to a later turn; never needs a replay
  std::vector<Input> inputs;
  InstanceName name;  // set only when the record creates an instance that has a mailbox and no run yet
};
struct TurnBody {
  std::vector<Input> inputs;
  std::vector<Decision> decisions;
  std::optional<RunEnd> end;
};
struct AttemptBody {  // an attempt failed and another follows; not replayed (S21)
  std::uint32_t ordinal = 0;
  std::uint32_t attempt = 1;
  ErrorInfo error;
  LogTime retry_at{};
};
enum class OperatorAct : std::uint16_t {
  redrive = 1,
  discard = 2,
  redrive_succeeded = 3,
  redrive_failed = 4,
  purge = 5,  // of the record's instance; no target
};
struct OperatorActBody {
  OperatorAct act = OperatorAct::redrive;
  Position target;    // the dead letter; a redriven event re-enters by an `accepted` record in the same commit
  PayloadPtr result;  // of a redriven activity
  ErrorInfo error;
  std::string note;
  std::string dedup_id;
  RunId run = 0;  // the dead letter's, or the purged one: what the caller was answered
};
struct ExpiryBody {  // mailbox events whose time to live has passed
  std::vector<Position> positions;
};
struct ClockStepBody {  // log time jumped to the wall clock (S4)
  LogTime from{};
  LogTime to{};
};
struct SchemaBody {
  Schema schema;
};
struct QuarantineBody {  // replay diverged, or (released) matches again (S16)
  bool released = false;
  Lsn turn = 0;
  std::string expected;
  std::string found;
};

struct RememberedBody {  // a start that used the live run: its dedup id, and the answer that a repetition gets (S13)
  std::string dedup_id;
  RunId run = 0;
  Position position;
  LogTime accepted_at{};
};

// The order is the record kind's number, from 1.
using RecordBody = std::variant<OpenedBody, AcceptedBody, TurnBody, AttemptBody, OperatorActBody, ExpiryBody,
                                ClockStepBody, SchemaBody, QuarantineBody, RememberedBody>;

struct Record {
  Lsn lsn = 0;
  InstanceId instance;             // zero for records of the engine itself
  RunId run = 0;                   // 0: no live run (mailbox)
  std::uint64_t run_sequence = 0;  // 1 for the start record, then one more for each record of the run
  Lsn run_previous = 0;            // the run's record before this one
  LogTime log_time{};
  Elapsed elapsed{};
  RecordBody body;
};

// "turn", "accepted", ...: the kind's name in tools and messages.
const char* kind_name(const RecordBody& body);

}  // namespace bobbin
