// Checkpoint rows, both ways.
#include "storage/codec/decode.hpp"
#include "storage/codec/encoder.hpp"
#include "storage/codec/wire.hpp"

namespace bobbin::storage {

namespace {

using wire::data;
using wire::get;
using wire::log_time;
using wire::put;
using wire::text;
using wire::ticks;

unsigned count(std::size_t size) { return static_cast<unsigned>(size); }

void put(format::Instance::Unread::Builder out, const UnreadEvent& event) {
  out.setLsn(event.position.lsn);
  out.setIndex(event.position.index);
  out.setName(data(event.name));
  out.setAcceptedAt(ticks(event.accepted_at));
  out.setCarryCount(event.carry_count);
  out.setWithStart(event.with_start);
  out.setSource(event.source);
  out.setMailboxExpiresAt(ticks(event.mailbox_expires_at));
}

UnreadEvent get(format::Instance::Unread::Reader in) {
  return {{in.getLsn(), in.getIndex()},
          text(in.getName()),
          log_time(in.getAcceptedAt()),
          in.getCarryCount(),
          in.getWithStart(),
          in.getSource(),
          Elapsed(in.getMailboxExpiresAt())};
}

void put(format::Instance::Timer::Builder out, const PendingTimer& timer) {
  out.setOrdinal(timer.ordinal);
  out.setDue(ticks(timer.due));
}

PendingTimer get(format::Instance::Timer::Reader in) { return {in.getOrdinal(), log_time(in.getDue())}; }

void put(format::Instance::Activity::Builder out, const PendingActivity& activity) {
  out.setOrdinal(activity.ordinal);
  out.setName(data(activity.name));
  out.setDecisionLsn(activity.decision.lsn);
  out.setDecisionIndex(activity.decision.index);
  out.setFailures(activity.failures);
  out.setScheduledInOpen(activity.scheduled_in_open);
  out.setScheduledAt(ticks(activity.scheduled_at));
  out.setRetryAt(ticks(activity.retry_at));
}

PendingActivity get(format::Instance::Activity::Reader in) {
  return {in.getOrdinal(),          text(in.getName()),      {in.getDecisionLsn(), in.getDecisionIndex()},
          in.getFailures(),         in.getScheduledInOpen(), log_time(in.getScheduledAt()),
          log_time(in.getRetryAt())};
}

template <class Builder, class Items>
void put_all(Builder out, const Items& items) {
  for (unsigned i = 0; i < out.size(); ++i) put(out[i], items[i]);
}

template <class Reader, class Items>
void get_all(Reader in, Items& items) {
  for (const auto item : in) items.push_back(get(item));
}

void put_head(format::Instance::Builder out, const InstanceState& state) {
  const auto id = wire::words_of(state.id);
  out.setLsn(state.lsn);
  out.setId0(id.low);
  out.setId1(id.high);
  out.setOrchestrator(data(state.name.orchestrator));
  out.setKey(data(state.name.key));
  out.setStatus(wire::number_of(state.status));
  out.setRun(state.run);
  out.setRunNumber(state.run_number);
  out.setFailedInARow(state.failed_in_a_row);
  out.setRunSequence(state.run_sequence);
  out.setLastRecord(state.last_record);
  out.setEndRecord(state.end_record);
  out.setStartedAt(ticks(state.started_at));
  out.setBeginsAt(ticks(state.begins_at));
  out.setBegun(state.begun);
  out.setTookEvent(state.took_event);
  out.setQuarantined(state.quarantined);
  out.setUpdatedAt(ticks(state.updated_at));
  out.setUpdatedElapsed(ticks(state.updated_elapsed));
  out.setEndedElapsed(ticks(state.ended_elapsed));
  out.setPurgedThrough(state.purged_through);
}

InstanceState get_head(format::Instance::Reader in) {
  InstanceState state;
  state.lsn = in.getLsn();
  state.id = wire::id_of(in.getId0(), in.getId1());
  state.name = {text(in.getOrchestrator()), text(in.getKey())};
  state.status = wire::checked(in.getStatus(), RunStatus::none, RunStatus::terminated, "run status");
  state.run = in.getRun();
  state.run_number = in.getRunNumber();
  state.failed_in_a_row = in.getFailedInARow();
  state.run_sequence = in.getRunSequence();
  state.last_record = in.getLastRecord();
  state.end_record = in.getEndRecord();
  state.started_at = log_time(in.getStartedAt());
  state.begins_at = log_time(in.getBeginsAt());
  state.begun = in.getBegun();
  state.took_event = in.getTookEvent();
  state.quarantined = in.getQuarantined();
  state.updated_at = log_time(in.getUpdatedAt());
  state.updated_elapsed = Elapsed(in.getUpdatedElapsed());
  state.ended_elapsed = Elapsed(in.getEndedElapsed());
  state.purged_through = in.getPurgedThrough();
  return state;
}

std::optional<LogTime> get_due(format::Instance::Reader in) {
  if (!in.getHasDue()) return std::nullopt;
  return log_time(in.getDue());
}

}  // namespace

Encoder::Buffer Encoder::encode(const InstanceState& state, std::optional<LogTime> due) {
  return scratch_->encode<format::Instance>([&](format::Instance::Builder out) {
    put_head(out, state);
    out.setHasDue(due.has_value());
    if (due) out.setDue(ticks(*due));
    if (!wire::is_default(state.error)) put(out.initError(), state.error);
    if (!state.backlog.empty()) put_all(out.initBacklog(count(state.backlog.size())), state.backlog);
    if (!state.unread.empty()) put_all(out.initUnread(count(state.unread.size())), state.unread);
    if (!state.timers.empty()) put_all(out.initTimers(count(state.timers.size())), state.timers);
    if (!state.activities.empty()) put_all(out.initActivities(count(state.activities.size())), state.activities);
  });
}

InstanceRow decode_instance(std::string_view body, const Label& what) {
  return decode<format::Instance>(body, what, [](format::Instance::Reader in) {
    InstanceRow row{get_head(in), get_due(in)};
    row.state.error = get(in.getError());
    get_all(in.getBacklog(), row.state.backlog);
    get_all(in.getUnread(), row.state.unread);
    get_all(in.getTimers(), row.state.timers);
    get_all(in.getActivities(), row.state.activities);
    return row;
  });
}

InstanceHead decode_instance_head(std::string_view body, const Label& what) {
  return decode<format::Instance>(body, what, [](format::Instance::Reader in) {
    const auto status = wire::checked(in.getStatus(), RunStatus::none, RunStatus::terminated, "run status");
    InstanceHead head{in.getLsn(),           in.getRun(), status == RunStatus::running, Elapsed(in.getEndedElapsed()),
                      in.getPurgedThrough(), {}};
    for (const auto event : in.getUnread()) head.unread_sources.push_back(event.getSource());
    return head;
  });
}

std::optional<LogTime> decode_instance_due(std::string_view body, const Label& what) {
  return decode<format::Instance>(body, what, [](format::Instance::Reader in) { return get_due(in); });
}

Encoder::Buffer Encoder::encode(const Ledger& ledger) {
  return scratch_->encode<format::Ledger>([&ledger](format::Ledger::Builder out) {
    out.setLsn(ledger.lsn);
    out.setOrchestrator(data(ledger.orchestrator));
    out.setAccepted(ledger.accepted);
    out.setConsumed(ledger.consumed);
    out.setPending(ledger.pending);
    out.setDeadLettered(ledger.dead_lettered);
    out.setExpired(ledger.expired);
    out.setDiscarded(ledger.discarded);
    out.setFailedActivities(ledger.failed_activities);
  });
}

Ledger decode_ledger(std::string_view body, const Label& what) {
  return decode<format::Ledger>(body, what, [](format::Ledger::Reader in) {
    return Ledger{in.getLsn(),
                  text(in.getOrchestrator()),
                  in.getAccepted(),
                  in.getConsumed(),
                  in.getPending(),
                  in.getDeadLettered(),
                  in.getExpired(),
                  in.getDiscarded(),
                  in.getFailedActivities()};
  });
}

Encoder::Buffer Encoder::encode(const DeadLetter& letter) {
  return scratch_->encode<format::DeadLetter>([&letter](format::DeadLetter::Builder out) {
    out.setLsn(letter.lsn);
    out.setPositionLsn(letter.position.lsn);
    out.setPositionIndex(letter.position.index);
    out.setState(wire::number_of(letter.state));
    out.setOrchestrator(data(letter.name.orchestrator));
    out.setKey(data(letter.name.key));
    out.setRun(letter.run);
    out.setAt(ticks(letter.at));
    if (!wire::is_default(letter.cause)) put(out.initCause(), letter.cause);
    out.setIsActivity(letter.is_activity);
    out.setWhat(data(letter.what));
    out.setSourceLsn(letter.source.lsn);
    out.setSourceIndex(letter.source.index);
    out.setOrdinal(letter.ordinal);
    out.setRedrives(letter.redrives);
  });
}

DeadLetter decode_dead_letter(std::string_view body, const Label& what) {
  return decode<format::DeadLetter>(body, what, [](format::DeadLetter::Reader in) {
    DeadLetter letter;
    letter.lsn = in.getLsn();
    letter.position = {in.getPositionLsn(), in.getPositionIndex()};
    letter.state =
        wire::checked(in.getState(), DeadLetterState::dead, DeadLetterState::discarded, "state of a dead letter");
    letter.name = wire::instance_name(in.getOrchestrator(), in.getKey());
    letter.run = in.getRun();
    letter.at = log_time(in.getAt());
    letter.cause = get(in.getCause());
    letter.is_activity = in.getIsActivity();
    letter.what = text(in.getWhat());
    letter.source = {in.getSourceLsn(), in.getSourceIndex()};
    letter.ordinal = in.getOrdinal();
    letter.redrives = in.getRedrives();
    return letter;
  });
}

Encoder::Buffer Encoder::encode(const Schema& schema) {
  return scratch_->encode<format::Schema>([&schema](format::Schema::Builder out) { put(out, schema); });
}

Schema decode_schema(std::string_view body, const Label& what) {
  return decode<format::Schema>(body, what, [](format::Schema::Reader in) { return get(in); });
}

Encoder::Buffer Encoder::encode(const LogStateRow& row) {
  return scratch_->encode<format::LogState>([&row](format::LogState::Builder out) {
    const auto epoch = wire::words_of(row.state.epoch);
    out.setLsn(row.state.lsn);
    out.setLogTime(ticks(row.state.log_time));
    out.setElapsed(ticks(row.state.elapsed));
    out.setOpens(row.state.opens);
    out.setEpoch0(epoch.low);
    out.setEpoch1(epoch.high);
    out.setFoldFrom(row.fold_from);
    out.setRowsFrom(row.rows_from);
  });
}

LogStateRow decode_log_state(std::string_view body, const Label& what) {
  return decode<format::LogState>(body, what, [](format::LogState::Reader in) {
    return LogStateRow{{in.getLsn(), log_time(in.getLogTime()), Elapsed(in.getElapsed()), in.getOpens(),
                        wire::id_of(in.getEpoch0(), in.getEpoch1())},
                       in.getFoldFrom(),
                       in.getRowsFrom()};
  });
}

Encoder::Buffer Encoder::encode(const DedupRun& run) {
  return scratch_->encode<format::DedupRun>([&run](format::DedupRun::Builder out) {
    out.setRun(run.run);
    out.setEntries(run.entries);
    out.setLastLsn(run.last_lsn);
    out.setNewest(ticks(run.newest));
  });
}

DedupRun decode_dedup_run(std::string_view body, const Label& what) {
  return decode<format::DedupRun>(body, what, [](format::DedupRun::Reader in) {
    return DedupRun{in.getRun(), in.getEntries(), in.getLastLsn(), Elapsed(in.getNewest())};
  });
}

}  // namespace bobbin::storage
