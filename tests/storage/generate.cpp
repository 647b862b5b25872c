#include "tests/storage/generate.hpp"

namespace bobbin::test {

std::string Generator::text(std::size_t size_max) {
  std::string text(below(size_max + 1), '\0');
  for (auto& byte : text) byte = static_cast<char>(below(256));
  return text;
}

InstanceName Generator::name() { return {"o" + text(127), "k" + text(1023)}; }

Id128 Generator::id() {
  Id128 id;
  for (auto& byte : id.bytes) byte = static_cast<std::uint8_t>(below(256));
  return id;
}

PayloadPtr Generator::payload() {
  if (below(4) == 0) return nullptr;
  return std::make_shared<const Payload>(
      Payload{static_cast<CodecId>(below(4)), number(), number(), text(below(8) == 0 ? 5000 : 300)});
}

ErrorInfo Generator::error() {
  if (below(3) == 0) return {};
  return {static_cast<ErrorCode>(below(15)), text(), text(200), coin()};
}

ErrorInfo Generator::failure() {
  auto failure = error();
  if (!failure) failure.code = ErrorCode::application;
  return failure;
}

Event Generator::event(Lsn lsn, LogTime log_time) {
  if (coin())
    return {text(), payload(), text(), {lsn, small()}, log_time - Duration(below(1000)), below(4) == 0 ? small() : 0,
            coin(), payload()};
  return {text(), payload(), text(), position(), time(), small(), coin(), payload()};
}

Input Generator::input(std::size_t kind, Lsn lsn, LogTime log_time) {
  switch (kind) {
    case 0: {
      StartInput start{name(), payload(), text(), small(), number(), small(), time(), id(), number(), {}};
      for (auto i = below(4); i > 0; --i) start.carried.push_back(event(lsn, log_time));
      return start;
    }
    case 1:
      return EventInput{event(lsn, log_time), coin() ? elapsed() : Elapsed{}};
    case 2:
      return AcceptedInput{position()};
    case 3:
      return TimerFired{small()};
    case 4:
      return ActivityCompleted{small(), small(), payload()};
    case 5:
      return ActivityFailed{small(), small(), failure(), coin()};
    default:
      return TerminateInput{text(), text()};
  }
}

Decision Generator::decision(std::size_t kind, Lsn lsn) {
  switch (kind) {
    case 0: {
      ActivityScheduled scheduled{small(), text(), payload(), {}};
      if (coin()) {
        auto& retry = scheduled.options.retry;
        retry = {small(), elapsed(), 1.5, elapsed(), 0.5, elapsed(), {text(), text()}};
        scheduled.options.dead_letter_on_failure = coin();
      }
      return scheduled;
    }
    case 1:
      return ActivityCancelled{small()};
    case 2:
      return TimerCreated{small(), time()};
    case 3:
      return TimerCancelled{small()};
    case 4:
      return EventTaken{small(), coin() ? Position{lsn, small()} : position()};
    default:
      return WaitCancelled{small(), text()};
  }
}

RunEnd Generator::end() {
  RunEnd end{static_cast<RunOutcome>(1 + below(3)), payload(), error(), {}};
  for (auto i = below(4); i > 0; --i)
    end.unread.push_back({position(), static_cast<UnreadFate>(1 + below(4)), small(), elapsed()});
  return end;
}

RecordBody Generator::body(std::size_t kind, Lsn lsn, LogTime log_time) {
  const auto inputs = [&] {
    std::vector<Input> all;
    for (std::size_t i = 0; i < std::variant_size_v<Input>; ++i)
      if (coin()) all.push_back(input(i, lsn, log_time));
    return all;
  };
  switch (kind) {
    case 0:
      return OpenedBody{id(), time(), text()};
    case 1:
      return AcceptedBody{inputs(), {coin() ? text(128) : "", coin() ? text(1024) : ""}};
    case 2: {
      TurnBody turn{inputs(), {}, {}};
      for (std::size_t i = 0; i < std::variant_size_v<Decision>; ++i)
        if (coin()) turn.decisions.push_back(decision(i, lsn));
      if (coin()) turn.end = end();
      return turn;
    }
    case 3:
      return AttemptBody{small(), small(), failure(), time()};
    case 4:
      return OperatorActBody{
          static_cast<OperatorAct>(1 + below(4)), position(), payload(), error(), text(), text(128), number()};
    case 5: {
      ExpiryBody expiry;
      for (auto i = below(5); i > 0; --i) expiry.positions.push_back(position());
      return expiry;
    }
    case 6:
      return ClockStepBody{time(), time()};
    case 7:
      return SchemaBody{schema()};
    case 8:
      return RememberedBody{text(128), number(), position(), time()};
    default:
      return QuarantineBody{coin(), number(), text(), text()};
  }
}

Record Generator::record(Lsn lsn, std::size_t kind) {
  Record record{lsn, id(), number(), number(), below(lsn), LogTime(Duration(below(1ULL << 60))), elapsed(), {}};
  record.body = body(kind, lsn, record.log_time);
  return record;
}

InstanceState Generator::instance(Lsn lsn) {
  InstanceState state;
  state.lsn = lsn;
  state.id = id();
  state.name = {text(128), text(1024)};
  state.status = static_cast<RunStatus>(below(5));
  state.run = number();
  state.run_number = small();
  state.failed_in_a_row = small();
  state.run_sequence = number();
  state.last_record = number();
  state.end_record = number();
  state.started_at = time();
  state.begins_at = time();
  state.begun = coin();
  state.took_event = coin();
  state.quarantined = coin();
  state.updated_at = time();
  state.updated_elapsed = elapsed();
  state.ended_elapsed = elapsed();
  state.error = error();
  for (auto i = below(4); i > 0; --i) state.backlog.push_back(position());
  for (auto i = below(below(10) == 0 ? 200 : 4); i > 0; --i)
    state.unread.push_back({position(), text(), time(), small(), coin(), number(), elapsed()});
  for (auto i = below(4); i > 0; --i) state.timers.push_back({small(), time()});
  for (auto i = below(4); i > 0; --i)
    state.activities.push_back({small(), text(), position(), small(), small(), time(), time()});
  return state;
}

Ledger Generator::ledger(Lsn lsn) {
  Ledger ledger{lsn, text(128), 0, number() >> 8, number() >> 8, number() >> 8, number() >> 8, number() >> 8, number()};
  ledger.accepted = ledger.consumed + ledger.pending + ledger.dead_lettered + ledger.expired + ledger.discarded;
  return ledger;
}

DeadLetter Generator::dead_letter(Lsn lsn) {
  return {lsn,        position(), static_cast<DeadLetterState>(1 + below(4)),
          name(),     number(),   time(),
          error(),    coin(),     text(),
          position(), small(),    small()};
}

Schema Generator::schema() { return {number(), static_cast<CodecId>(below(4)), number(), text(), text(5000)}; }

Record plain_turn(Lsn lsn, std::size_t payload_bytes) {
  Record record;
  record.lsn = lsn;
  record.instance.bytes.fill(7);
  record.run = 1;
  record.run_sequence = lsn;
  record.run_previous = lsn - 1;
  record.log_time = LogTime(std::chrono::seconds(1'700'000'000)) + Duration(static_cast<std::int64_t>(lsn));
  record.elapsed = Elapsed(static_cast<std::int64_t>(lsn));
  EventInput input;
  input.event.name = "sms";
  input.event.value =
      std::make_shared<const Payload>(Payload{CodecId::fields, 42, 43, std::string(payload_bytes, 'x')});
  input.event.dedup_id = "message-" + std::to_string(lsn);
  input.event.position = {lsn, 0};
  input.event.accepted_at = record.log_time;
  input.event.with_start = true;
  input.event.start_input = std::make_shared<const Payload>(Payload{CodecId::fields, 44, 45, std::string(24, 'w')});
  TurnBody turn;
  if (lsn == record.run) turn.inputs.push_back(StartInput{{"consolidate", "key"}, nullptr, {}, 1, 0, 0, {}, {}, 0, {}});
  turn.inputs.push_back(std::move(input));
  turn.decisions.push_back(EventTaken{1, {lsn, 0}});
  record.body = std::move(turn);
  return record;
}

Batch plain_turns(Lsn first, std::size_t count, std::size_t payload_bytes) {
  Batch batch;
  for (Lsn lsn = first; lsn < first + count; ++lsn) batch.records.push_back(plain_turn(lsn, payload_bytes));
  return batch;
}

}  // namespace bobbin::test
