#include "storage/codec/codec.hpp"
#include "storage/codec/decode.hpp"
#include "storage/codec/wire.hpp"

namespace bobbin::storage {

namespace {

using wire::get;
using wire::log_time;
using wire::text;
using wire::unknown_number;

PayloadPtr payload(bool present, format::Payload::Reader in) {
  return present ? std::make_shared<const Payload>(get(in)) : nullptr;
}

EventInput get_fresh(format::Input::Reader in, Lsn lsn, std::int64_t log_ticks) {
  const auto fresh = in.getFresh();
  EventInput input;
  auto& event = input.event;
  event.name = text(fresh.getName());
  if (fresh.hasValue()) event.value = payload(true, fresh.getValue());
  event.dedup_id = text(fresh.getDedupId());
  if (fresh.hasStartInput()) event.start_input = payload(true, fresh.getStartInput());
  event.position = {lsn, in.getNumber()};
  // Unsigned: bytes that nobody wrote may overflow.
  event.accepted_at = log_time(
      static_cast<std::int64_t>(static_cast<std::uint64_t>(log_ticks) - static_cast<std::uint64_t>(fresh.getBefore())));
  event.with_start = in.getFlag();
  return input;
}

StartInput get_start(format::Start::Reader in) {
  StartInput start;
  start.name = wire::instance_name(in.getOrchestrator(), in.getKey());
  if (in.hasInput()) start.input = payload(true, in.getInput());
  start.dedup_id = text(in.getDedupId());
  start.run_number = in.getRunNumber();
  start.predecessor = in.getPredecessor();
  start.failed_in_a_row = in.getFailedInARow();
  start.begins_at = log_time(in.getBeginsAt());
  start.epoch = wire::id_of(in.getEpoch0(), in.getEpoch1());
  start.engine_flags = in.getEngineFlags();
  for (const auto event : in.getCarried()) start.carried.push_back(get(event));
  return start;
}

ActivityCompleted get_completed(format::Input::Reader in) {
  const auto completed = in.getActivityCompleted();
  ActivityCompleted input{in.getNumber(), completed.getAttempt(), nullptr};
  if (completed.hasResult()) input.result = payload(true, completed.getResult());
  return input;
}

Input get_input(format::Input::Reader in, Lsn lsn, std::int64_t log_ticks) {
  using Kind = format::Input::Which;
  switch (in.which()) {
    case Kind::START:
      return get_start(in.getStart());
    case Kind::EVENT:
      return EventInput{get(in.getEvent().getEvent()), Elapsed(in.getEvent().getMailboxExpiresAt())};
    case Kind::FRESH:
      return get_fresh(in, lsn, log_ticks);
    case Kind::ACCEPTED:
      return AcceptedInput{{in.getAccepted().getLsn(), in.getNumber()}};
    case Kind::TIMER_FIRED:
      return TimerFired{in.getNumber()};
    case Kind::ACTIVITY_COMPLETED:
      return get_completed(in);
    case Kind::ACTIVITY_FAILED:
      return ActivityFailed{in.getNumber(), in.getActivityFailed().getAttempt(),
                            wire::get_failure(in.getActivityFailed().getError()), in.getFlag()};
    case Kind::TERMINATE:
      return TerminateInput{text(in.getTerminate().getReason()), text(in.getTerminate().getDedupId())};
  }
  unknown_number("kind of input", static_cast<std::uint64_t>(in.which()));
}

std::vector<Input> get_inputs(capnp::List<format::Input>::Reader in, Lsn lsn, std::int64_t log_ticks) {
  std::vector<Input> inputs;
  inputs.reserve(in.size());
  for (const auto input : in) inputs.push_back(get_input(input, lsn, log_ticks));
  return inputs;
}

RetryPolicy get_retry(format::RetryPolicy::Reader in) {
  RetryPolicy retry;
  retry.max_attempts = in.getMaxAttempts();
  retry.first_delay = Duration(in.getFirstDelay());
  retry.factor = in.getFactor();
  retry.cap = Duration(in.getCap());
  retry.jitter = in.getJitter();
  retry.total_time = Duration(in.getTotalTime());
  for (const auto type : in.getNonRetryableTypes()) retry.non_retryable_types.push_back(text(type));
  if (!is_possible(retry))
    throw wire::Impossible{"a retry policy has a factor below 1, a jitter not of 0 to 1, or a negative delay"};
  return retry;
}

ActivityScheduled get_scheduled(std::uint32_t ordinal, format::ActivityScheduled::Reader in) {
  ActivityScheduled scheduled{ordinal, text(in.getName()), nullptr, {}};
  if (in.hasInput()) scheduled.input = payload(true, in.getInput());
  scheduled.options = {get_retry(in.getRetry()), in.getDeadLetterOnFailure()};
  return scheduled;
}

Decision get_decision(format::Decision::Reader in, Lsn lsn) {
  using Kind = format::Decision::Which;
  const auto ordinal = in.getOrdinal();
  switch (in.which()) {
    case Kind::TIMER_CANCELLED:
      return TimerCancelled{ordinal};
    case Kind::ACTIVITY_CANCELLED:
      return ActivityCancelled{ordinal};
    case Kind::TAKEN:
      return EventTaken{ordinal, {lsn, in.getTaken().getIndex()}};
    case Kind::TAKEN_AT:
      return EventTaken{ordinal, get(in.getTakenAt())};
    case Kind::TIMER_CREATED:
      return TimerCreated{ordinal, log_time(in.getTimerCreated().getDue())};
    case Kind::ACTIVITY_SCHEDULED:
      return get_scheduled(ordinal, in.getActivityScheduled());
    case Kind::WAIT_CANCELLED:
      return WaitCancelled{ordinal, text(in.getWaitCancelled().getName())};
  }
  unknown_number("kind of decision", static_cast<std::uint64_t>(in.which()));
}

UnreadDisposition get(format::RunEnd::Unread::Reader in) {
  return {{in.getLsn(), in.getIndex()},
          wire::checked(in.getFate(), UnreadFate::successor, UnreadFate::discarded, "fate of an event"),
          in.getCarryCount(),
          Elapsed(in.getMailboxExpiresAt())};
}

RunEnd get_end(format::RunEnd::Reader in) {
  RunEnd end;
  end.outcome = wire::checked(in.getOutcome(), RunOutcome::completed, RunOutcome::terminated, "run outcome");
  if (in.hasResult()) end.result = payload(true, in.getResult());
  end.error = get(in.getError());
  for (const auto unread : in.getUnread()) end.unread.push_back(get(unread));
  return end;
}

TurnBody get_turn(format::Record::Turn::Reader in, Lsn lsn, std::int64_t log_ticks) {
  TurnBody turn;
  turn.inputs = get_inputs(in.getInputs(), lsn, log_ticks);
  const auto decisions = in.getDecisions();
  turn.decisions.reserve(decisions.size());
  for (const auto decision : decisions) turn.decisions.push_back(get_decision(decision, lsn));
  if (in.hasEnd()) turn.end = get_end(in.getEnd());
  return turn;
}

OpenedBody get_opened(format::Opened::Reader in) {
  return {wire::id_of(in.getEpoch0(), in.getEpoch1()), log_time(in.getWallTime()), text(in.getOpener())};
}

AttemptBody get_attempt(format::Attempt::Reader in) {
  return {in.getOrdinal(), in.getAttempt(), wire::get_failure(in.getError()), log_time(in.getRetryAt())};
}

OperatorActBody get_act(format::OperatorAct::Reader in) {
  OperatorActBody act;
  act.act = wire::checked(in.getAct(), OperatorAct::redrive, OperatorAct::purge, "operator act");
  act.target = {in.getTargetLsn(), in.getTargetIndex()};
  if (in.hasResult()) act.result = payload(true, in.getResult());
  act.error = get(in.getError());
  act.note = text(in.getNote());
  act.dedup_id = text(in.getDedupId());
  act.run = in.getRun();
  return act;
}

ExpiryBody get_expiry(format::Expiry::Reader in) {
  ExpiryBody expiry;
  for (const auto position : in.getPositions()) expiry.positions.push_back(get(position));
  return expiry;
}

QuarantineBody get_quarantine(format::Quarantine::Reader in) {
  return {in.getReleased(), in.getTurn(), text(in.getExpected()), text(in.getFound())};
}

RememberedBody get_remembered(format::Remembered::Reader in) {
  return {text(in.getDedupId()), in.getRun(), {in.getLsn(), in.getIndex()}, log_time(in.getAcceptedAt())};
}

RecordBody get_body(format::Record::Reader in, Lsn lsn) {
  using Kind = format::Record::Which;
  switch (in.which()) {
    case Kind::OPENED:
      return get_opened(in.getOpened());
    case Kind::ACCEPTED: {
      const auto accepted = in.getAccepted();
      return AcceptedBody{get_inputs(accepted.getInputs(), lsn, in.getLogTime()),
                          {text(accepted.getOrchestrator()), text(accepted.getKey())}};
    }
    case Kind::TURN:
      return get_turn(in.getTurn(), lsn, in.getLogTime());
    case Kind::ATTEMPT:
      return get_attempt(in.getAttempt());
    case Kind::OPERATOR_ACT:
      return get_act(in.getOperatorAct());
    case Kind::EXPIRY:
      return get_expiry(in.getExpiry());
    case Kind::CLOCK_STEP:
      return ClockStepBody{log_time(in.getClockStep().getFrom()), log_time(in.getClockStep().getTo())};
    case Kind::SCHEMA:
      return SchemaBody{get(in.getSchema())};
    case Kind::QUARANTINE:
      return get_quarantine(in.getQuarantine());
    case Kind::REMEMBERED:
      return get_remembered(in.getRemembered());
  }
  unknown_number("kind of record", static_cast<std::uint64_t>(in.which()));
}

}  // namespace

RecordHead decode_record_head(std::string_view body, Lsn lsn, const Label& what) {
  return decode<format::Record>(body, what, [lsn](format::Record::Reader in) {
    return RecordHead{lsn, wire::id_of(in.getInstance0(), in.getInstance1()), in.getRun(), Elapsed(in.getElapsed())};
  });
}

Record decode_record(std::string_view body, Lsn lsn, const Label& what) {
  return decode<format::Record>(body, what, [lsn, &what](format::Record::Reader in) {
    Record record;
    record.lsn = lsn;
    record.instance = wire::id_of(in.getInstance0(), in.getInstance1());
    record.run = in.getRun();
    record.run_sequence = in.getRunSequence();
    record.run_previous = in.getRunPrevious();
    // Who walks a run backwards must come to its end.
    if (record.run_previous >= lsn)
      throw_undecodable(
          what, "it follows record " + std::to_string(record.run_previous) + " of its run, which is no earlier one");
    record.log_time = log_time(in.getLogTime());
    record.elapsed = Elapsed(in.getElapsed());
    record.body = get_body(in, lsn);
    return record;
  });
}

}  // namespace bobbin::storage
