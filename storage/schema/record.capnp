# Format 1 of Bobbin's log: record bodies and checkpoint rows (storage/README.md has the frames around them).
#
# For ever: members are only added, with the next ordinal; no type, default, number or id is ever changed, and no field
# moves into a union. A reader that meets a union member or an enumeration number that it does not know stops
# (UnsupportedFormat). Strings are Data: bytes as they were given, in no promised encoding. Times are microseconds:
# log times since 1970 (UTC), elapsed times since the log's creation. An absent pointer stands for the empty value.

@0xb2c1d7f0a54e8e61;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("bobbin::format");

struct Position {
  lsn @0 :UInt64;
  index @1 :UInt32;
}

struct Payload {
  typeId @0 :UInt64;
  schemaHash @1 :UInt64;
  codec @2 :UInt16;  # bobbin::CodecId
  bytes @3 :Data;
}

struct Failure {
  code @0 :UInt16;  # bobbin::ErrorCode
  nonRetryable @1 :Bool;
  type @2 :Data;
  message @3 :Data;
}

# An event with all that it carries from where it was first accepted.
struct Event {
  lsn @0 :UInt64;
  acceptedAt @1 :Int64;
  index @2 :UInt32;
  carryCount @3 :UInt32;
  withStart @4 :Bool;
  name @5 :Data;
  value @6 :Payload;
  dedupId @7 :Data;
  startInput @8 :Payload;
}

# ---- Records: the LSN stands in the frame ----

struct Record {
  instance0 @0 :UInt64;  # bytes 0 to 7 of the id, little-endian
  instance1 @1 :UInt64;  # bytes 8 to 15
  run @2 :UInt64;
  runSequence @3 :UInt64;
  runPrevious @4 :UInt64;
  logTime @5 :Int64;
  elapsed @6 :Int64;
  union {
    opened @7 :Opened;
    accepted :group {
      inputs @8 :List(Input);
      orchestrator @9 :Data;
      key @10 :Data;
    }
    turn :group {
      inputs @11 :List(Input);
      decisions @12 :List(Decision);
      end @13 :RunEnd;  # absent while the run goes on
    }
    attempt @14 :Attempt;
    operatorAct @15 :OperatorAct;
    expiry @16 :Expiry;
    clockStep @17 :ClockStep;
    schema @18 :Schema;
    quarantine @19 :Quarantine;
    remembered @20 :Remembered;
  }
}

struct Input {
  number @0 :UInt32;  # index of a fresh event or of an accepted input; else an ordinal
  flag @1 :Bool;  # of a fresh event: it came with a start; of a failed activity: it is a dead letter
  union {
    start @2 :Start;
    event :group {
      event @3 :Event;
      mailboxExpiresAt @4 :Int64;
    }
    # An event first accepted by this very record: its position is (this LSN, number), its carry count 0 and its mailbox
    # expiry none; accepted at the record's log time less `before`.
    fresh :group {
      name @5 :Data;
      value @6 :Payload;
      dedupId @7 :Data;
      startInput @8 :Payload;
      before @9 :Int64;
    }
    accepted :group {
      lsn @10 :UInt64;
    }
    timerFired @11 :Void;
    activityCompleted :group {
      attempt @12 :UInt32;
      result @13 :Payload;
    }
    activityFailed :group {
      attempt @14 :UInt32;
      error @15 :Failure;
    }
    terminate :group {
      reason @16 :Data;
      dedupId @17 :Data;
    }
  }
}

struct Start {
  orchestrator @0 :Data;
  key @1 :Data;
  input @2 :Payload;
  dedupId @3 :Data;
  carried @4 :List(Event);
  predecessor @5 :UInt64;
  beginsAt @6 :Int64;
  epoch0 @7 :UInt64;
  epoch1 @8 :UInt64;
  engineFlags @9 :UInt64;
  runNumber @10 :UInt32;
  failedInARow @11 :UInt32;
}

struct Decision {
  ordinal @0 :UInt32;
  union {
    timerCancelled @1 :Void;
    activityCancelled @2 :Void;
    taken :group {  # an event first accepted by this very record
      index @3 :UInt32;
    }
    takenAt @4 :Position;
    timerCreated :group {
      due @5 :Int64;
    }
    activityScheduled @6 :ActivityScheduled;
    waitCancelled :group {
      name @7 :Data;
    }
  }
}

struct ActivityScheduled {
  name @0 :Data;
  input @1 :Payload;
  retry @2 :RetryPolicy;  # absent: the defaults of RetryPolicy
  deadLetterOnFailure @3 :Bool;
}

struct RetryPolicy {
  maxAttempts @0 :UInt32 = 1;
  firstDelay @1 :Int64 = 1000000;
  factor @2 :Float64 = 2.0;
  cap @3 :Int64 = 60000000;
  jitter @4 :Float64 = 0.1;
  totalTime @5 :Int64 = 9223372036854775807;
  nonRetryableTypes @6 :List(Data);
}

struct RunEnd {
  outcome @0 :UInt16;  # bobbin::RunOutcome
  result @1 :Payload;
  error @2 :Failure;
  unread @3 :List(Unread);

  struct Unread {
    lsn @0 :UInt64;
    mailboxExpiresAt @1 :Int64;
    index @2 :UInt32;
    carryCount @3 :UInt32;
    fate @4 :UInt16;  # bobbin::UnreadFate
  }
}

struct Opened {
  epoch0 @0 :UInt64;
  epoch1 @1 :UInt64;
  wallTime @2 :Int64;
  opener @3 :Data;
}

struct Attempt {
  ordinal @0 :UInt32;
  attempt @1 :UInt32;
  retryAt @2 :Int64;
  error @3 :Failure;
}

struct OperatorAct {
  targetLsn @0 :UInt64;
  targetIndex @1 :UInt32;
  act @2 :UInt16;  # bobbin::OperatorAct
  result @3 :Payload;
  error @4 :Failure;
  note @5 :Data;
  dedupId @6 :Data;
  run @7 :UInt64;
}

struct Expiry {
  positions @0 :List(Position);
}

struct ClockStep {
  from @0 :Int64;
  to @1 :Int64;
}

struct Schema {  # also a row
  hash @0 :UInt64;
  typeId @1 :UInt64;
  codec @2 :UInt16;
  name @3 :Data;
  text @4 :Data;
}

struct Quarantine {
  turn @0 :UInt64;
  released @1 :Bool;
  expected @2 :Data;
  found @3 :Data;
}

struct Remembered {
  run @0 :UInt64;
  lsn @1 :UInt64;  # of the position
  acceptedAt @2 :Int64;
  index @3 :UInt32;
  dedupId @4 :Data;
}

# ---- Rows: the state after record `lsn` ----

struct Instance {
  lsn @0 :UInt64;
  id0 @1 :UInt64;
  id1 @2 :UInt64;
  run @3 :UInt64;
  runSequence @4 :UInt64;
  lastRecord @5 :UInt64;
  endRecord @6 :UInt64;
  startedAt @7 :Int64;
  beginsAt @8 :Int64;
  due @9 :Int64;  # the row's entry in the table of due times, if it has one
  status @10 :UInt16;  # bobbin::RunStatus
  hasDue @11 :Bool;
  begun @12 :Bool;
  tookEvent @13 :Bool;
  quarantined @14 :Bool;
  runNumber @15 :UInt32;
  failedInARow @16 :UInt32;
  orchestrator @17 :Data;
  key @18 :Data;
  error @19 :Failure;
  backlog @20 :List(Position);
  unread @21 :List(Unread);
  timers @22 :List(Timer);
  activities @23 :List(Activity);
  updatedAt @24 :Int64;  # log time of record `lsn`
  updatedElapsed @25 :Int64;
  endedElapsed @26 :Int64;
  purgedThrough @27 :UInt64;

  struct Unread {
    lsn @0 :UInt64;
    acceptedAt @1 :Int64;
    source @2 :UInt64;
    mailboxExpiresAt @3 :Int64;
    index @4 :UInt32;
    carryCount @5 :UInt32;
    withStart @6 :Bool;
    name @7 :Data;
  }
  struct Timer {
    due @0 :Int64;
    ordinal @1 :UInt32;
  }
  struct Activity {
    decisionLsn @0 :UInt64;
    scheduledAt @1 :Int64;
    retryAt @2 :Int64;
    decisionIndex @3 :UInt32;
    ordinal @4 :UInt32;
    failures @5 :UInt32;
    scheduledInOpen @6 :UInt32;
    name @7 :Data;
  }
}

struct Ledger {
  lsn @0 :UInt64;
  accepted @1 :UInt64;
  consumed @2 :UInt64;
  pending @3 :UInt64;
  deadLettered @4 :UInt64;
  expired @5 :UInt64;
  discarded @6 :UInt64;
  failedActivities @7 :UInt64;
  orchestrator @8 :Data;
}

struct DeadLetter {
  lsn @0 :UInt64;
  positionLsn @1 :UInt64;
  run @2 :UInt64;
  at @3 :Int64;
  sourceLsn @4 :UInt64;
  positionIndex @5 :UInt32;
  sourceIndex @6 :UInt32;
  ordinal @7 :UInt32;
  redrives @8 :UInt32;
  state @9 :UInt16;  # bobbin::DeadLetterState
  isActivity @10 :Bool;
  orchestrator @11 :Data;
  key @12 :Data;
  what @13 :Data;
  cause @14 :Failure;
}

struct LogState {
  lsn @0 :UInt64;
  logTime @1 :Int64;
  elapsed @2 :Int64;
  epoch0 @3 :UInt64;
  epoch1 @4 :UInt64;
  foldFrom @5 :UInt64 = 1;
  opens @6 :UInt32;
  rowsFrom @7 :UInt64;
}

struct DedupRun {
  run @0 :UInt64;
  entries @1 :UInt64;
  lastLsn @2 :UInt64;
  newest @3 :Int64;
}
