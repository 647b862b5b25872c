#include "storage/codec/encoder.hpp"
#include "storage/codec/wire.hpp"

namespace bobbin::storage {

namespace {

using wire::data;
using wire::put;
using wire::ticks;

bool is_fresh(const EventInput& input, const Record& record) {
  const auto& event = input.event;
  std::int64_t before = 0;  // may not overflow, or the exact time could not be restored
  return event.position.lsn == record.lsn && event.carry_count == 0 && input.mailbox_expires_at == Elapsed{} &&
         !__builtin_sub_overflow(ticks(record.log_time), ticks(event.accepted_at), &before);
}

void put_fresh(format::Input::Builder out, const Event& event, const Record& record) {
  out.setNumber(event.position.index);
  out.setFlag(event.with_start);
  auto fresh = out.initFresh();
  fresh.setBefore(ticks(record.log_time) - ticks(event.accepted_at));
  if (!event.name.empty()) fresh.setName(data(event.name));
  if (event.value) put(fresh.initValue(), *event.value);
  if (!event.dedup_id.empty()) fresh.setDedupId(data(event.dedup_id));
  if (event.start_input) put(fresh.initStartInput(), *event.start_input);
}

struct InputWriter {
  format::Input::Builder out;
  const Record& record;

  void operator()(const EventInput& input) {
    if (is_fresh(input, record)) return put_fresh(out, input.event, record);
    auto event = out.initEvent();
    event.setMailboxExpiresAt(ticks(input.mailbox_expires_at));
    put(event.initEvent(), input.event);
  }
  void operator()(const AcceptedInput& input) {
    out.setNumber(input.position.index);
    out.initAccepted().setLsn(input.position.lsn);
  }
  void operator()(const TimerFired& input) {
    out.setNumber(input.ordinal);
    out.setTimerFired();
  }
  void operator()(const ActivityCompleted& input) {
    out.setNumber(input.ordinal);
    auto completed = out.initActivityCompleted();
    completed.setAttempt(input.attempt);
    if (input.result) put(completed.initResult(), *input.result);
  }
  void operator()(const ActivityFailed& input) {
    out.setNumber(input.ordinal);
    out.setFlag(input.dead_letter);
    auto failed = out.initActivityFailed();
    failed.setAttempt(input.attempt);
    if (!wire::is_default(input.error)) put(failed.initError(), input.error);
  }
  void operator()(const TerminateInput& input) {
    auto terminate = out.initTerminate();
    if (!input.reason.empty()) terminate.setReason(data(input.reason));
    if (!input.dedup_id.empty()) terminate.setDedupId(data(input.dedup_id));
  }
  void operator()(const StartInput& input);
};

void InputWriter::operator()(const StartInput& input) {
  auto start = out.initStart();
  start.setOrchestrator(data(input.name.orchestrator));
  start.setKey(data(input.name.key));
  if (input.input) put(start.initInput(), *input.input);
  if (!input.dedup_id.empty()) start.setDedupId(data(input.dedup_id));
  start.setRunNumber(input.run_number);
  start.setPredecessor(input.predecessor);
  start.setFailedInARow(input.failed_in_a_row);
  start.setBeginsAt(ticks(input.begins_at));
  const auto epoch = wire::words_of(input.epoch);
  start.setEpoch0(epoch.low);
  start.setEpoch1(epoch.high);
  start.setEngineFlags(input.engine_flags);
  if (input.carried.empty()) return;
  auto carried = start.initCarried(static_cast<unsigned>(input.carried.size()));
  for (unsigned i = 0; i < carried.size(); ++i) put(carried[i], input.carried[i]);
}

// What an absent policy stands for in format 1, whatever RetryPolicy's defaults become.
bool is_default(const RetryPolicy& retry) {
  static const RetryPolicy format_default{1,   std::chrono::seconds(1), 2.0, std::chrono::minutes(1),
                                          0.1, Duration::max(),         {}};
  return retry == format_default;
}

template <class Builder>
void put_texts(Builder out, const std::vector<std::string>& texts) {
  for (unsigned i = 0; i < out.size(); ++i) out.set(i, data(texts[i]));
}

void put(format::RetryPolicy::Builder out, const RetryPolicy& retry) {
  out.setMaxAttempts(retry.max_attempts);
  out.setFirstDelay(retry.first_delay.count());
  out.setFactor(retry.factor);
  out.setCap(retry.cap.count());
  out.setJitter(retry.jitter);
  out.setTotalTime(retry.total_time.count());
  if (retry.non_retryable_types.empty()) return;
  put_texts(out.initNonRetryableTypes(static_cast<unsigned>(retry.non_retryable_types.size())),
            retry.non_retryable_types);
}

struct DecisionWriter {
  format::Decision::Builder out;
  const Record& record;

  void operator()(const ActivityScheduled& decision) {
    out.setOrdinal(decision.ordinal);
    auto scheduled = out.initActivityScheduled();
    scheduled.setName(data(decision.name));
    if (decision.input) put(scheduled.initInput(), *decision.input);
    if (!is_default(decision.options.retry)) put(scheduled.initRetry(), decision.options.retry);
    scheduled.setDeadLetterOnFailure(decision.options.dead_letter_on_failure);
  }
  void operator()(const ActivityCancelled& decision) {
    out.setOrdinal(decision.ordinal);
    out.setActivityCancelled();
  }
  void operator()(const TimerCreated& decision) {
    out.setOrdinal(decision.ordinal);
    out.initTimerCreated().setDue(ticks(decision.due));
  }
  void operator()(const TimerCancelled& decision) {
    out.setOrdinal(decision.ordinal);
    out.setTimerCancelled();
  }
  void operator()(const EventTaken& decision) {
    out.setOrdinal(decision.ordinal);
    if (decision.position.lsn == record.lsn)
      out.initTaken().setIndex(decision.position.index);
    else
      put(out.initTakenAt(), decision.position);
  }
  void operator()(const WaitCancelled& decision) {
    out.setOrdinal(decision.ordinal);
    auto cancelled = out.initWaitCancelled();
    if (!decision.name.empty()) cancelled.setName(data(decision.name));
  }
};

void put(capnp::List<format::Input>::Builder out, const std::vector<Input>& inputs, const Record& record) {
  for (unsigned i = 0; i < out.size(); ++i) std::visit(InputWriter{out[i], record}, inputs[i]);
}

void put(format::RunEnd::Builder out, const RunEnd& end) {
  out.setOutcome(wire::number_of(end.outcome));
  if (end.result) put(out.initResult(), *end.result);
  if (!wire::is_default(end.error)) put(out.initError(), end.error);
  if (end.unread.empty()) return;
  auto unread = out.initUnread(static_cast<unsigned>(end.unread.size()));
  for (unsigned i = 0; i < unread.size(); ++i) {
    auto entry = unread[i];
    const auto& disposition = end.unread[i];
    entry.setLsn(disposition.position.lsn);
    entry.setIndex(disposition.position.index);
    entry.setFate(wire::number_of(disposition.fate));
    entry.setCarryCount(disposition.carry_count);
    entry.setMailboxExpiresAt(ticks(disposition.mailbox_expires_at));
  }
}

struct BodyWriter {
  format::Record::Builder out;
  const Record& record;

  void operator()(const OpenedBody& body) {
    auto opened = out.initOpened();
    const auto epoch = wire::words_of(body.epoch);
    opened.setEpoch0(epoch.low);
    opened.setEpoch1(epoch.high);
    opened.setWallTime(ticks(body.wall_time));
    opened.setOpener(data(body.opener));
  }
  void operator()(const AcceptedBody& body) {
    auto accepted = out.initAccepted();
    put(accepted.initInputs(static_cast<unsigned>(body.inputs.size())), body.inputs, record);
    if (!body.name.orchestrator.empty()) accepted.setOrchestrator(data(body.name.orchestrator));
    if (!body.name.key.empty()) accepted.setKey(data(body.name.key));
  }
  void operator()(const TurnBody& body) {
    auto turn = out.initTurn();
    if (!body.inputs.empty()) put(turn.initInputs(static_cast<unsigned>(body.inputs.size())), body.inputs, record);
    if (!body.decisions.empty()) {
      auto decisions = turn.initDecisions(static_cast<unsigned>(body.decisions.size()));
      for (unsigned i = 0; i < decisions.size(); ++i)
        std::visit(DecisionWriter{decisions[i], record}, body.decisions[i]);
    }
    if (body.end) put(turn.initEnd(), *body.end);
  }
  void operator()(const AttemptBody& body) {
    auto attempt = out.initAttempt();
    attempt.setOrdinal(body.ordinal);
    attempt.setAttempt(body.attempt);
    attempt.setRetryAt(ticks(body.retry_at));
    if (!wire::is_default(body.error)) put(attempt.initError(), body.error);
  }
  void operator()(const OperatorActBody& body) {
    auto act = out.initOperatorAct();
    act.setAct(wire::number_of(body.act));
    act.setTargetLsn(body.target.lsn);
    act.setTargetIndex(body.target.index);
    if (body.result) put(act.initResult(), *body.result);
    if (!wire::is_default(body.error)) put(act.initError(), body.error);
    if (!body.note.empty()) act.setNote(data(body.note));
    if (!body.dedup_id.empty()) act.setDedupId(data(body.dedup_id));
    act.setRun(body.run);
  }
  void operator()(const ExpiryBody& body) {
    auto positions = out.initExpiry().initPositions(static_cast<unsigned>(body.positions.size()));
    for (unsigned i = 0; i < positions.size(); ++i) put(positions[i], body.positions[i]);
  }
  void operator()(const ClockStepBody& body) {
    auto step = out.initClockStep();
    step.setFrom(ticks(body.from));
    step.setTo(ticks(body.to));
  }
  void operator()(const SchemaBody& body) { put(out.initSchema(), body.schema); }
  void operator()(const QuarantineBody& body) {
    auto quarantine = out.initQuarantine();
    quarantine.setReleased(body.released);
    quarantine.setTurn(body.turn);
    quarantine.setExpected(data(body.expected));
    quarantine.setFound(data(body.found));
  }
  void operator()(const RememberedBody& body) {
    auto remembered = out.initRemembered();
    remembered.setDedupId(data(body.dedup_id));
    remembered.setRun(body.run);
    remembered.setLsn(body.position.lsn);
    remembered.setIndex(body.position.index);
    remembered.setAcceptedAt(ticks(body.accepted_at));
  }
};

}  // namespace

Encoder::Buffer Encoder::encode(const Record& record) {
  return scratch_->encode<format::Record>([&record](format::Record::Builder out) {
    const auto instance = wire::words_of(record.instance);
    out.setInstance0(instance.low);
    out.setInstance1(instance.high);
    out.setRun(record.run);
    out.setRunSequence(record.run_sequence);
    out.setRunPrevious(record.run_previous);
    out.setLogTime(ticks(record.log_time));
    out.setElapsed(ticks(record.elapsed));
    std::visit(BodyWriter{out, record}, record.body);
  });
}

}  // namespace bobbin::storage
