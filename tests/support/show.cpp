#include "tests/support/show.hpp"

#include <array>
#include <charconv>
#include <cstring>
#include <sstream>

namespace bobbin::testing {

namespace {

class Text {
 public:
  Text& operator<<(std::uint64_t value) { return number(value); }
  Text& operator<<(std::uint32_t value) { return number(value); }
  Text& operator<<(bool value) { return raw(value ? "yes" : "no"); }
  Text& operator<<(double value) { return number(value); }
  Text& operator<<(const std::string& value) { return number(value.size(), ':').raw(value); }
  Text& operator<<(const Id128& value) { return raw(to_hex(value)); }
  Text& operator<<(Position value) { return raw(to_string(value)); }
  Text& operator<<(LogTime value) { return number(value.time_since_epoch().count()); }
  Text& operator<<(Duration value) { return number(value.count()); }
  Text& operator<<(const InstanceName& value) { return *this << value.orchestrator << value.key; }
  template <class Enum>
  requires std::is_enum_v<Enum> Text& operator<<(Enum value) {
    return raw("#" + std::to_string(static_cast<unsigned>(value)));
  }
  Text& operator<<(const PayloadPtr& value) {
    if (!value) return raw("null");
    return *this << value->codec << value->type_id << value->schema_hash << value->bytes;
  }
  Text& operator<<(const ErrorInfo& value) {
    return *this << value.code << value.type << value.message << value.non_retryable;
  }
  Text& operator<<(const Event& e) {
    return *this << e.name << e.value << e.dedup_id << e.position << e.accepted_at << e.carry_count << e.with_start
                 << e.start_input;
  }
  template <class Item>
  Text& operator<<(const std::vector<Item>& items) {
    raw("[");
    for (const auto& item : items) *this << item;
    return raw("]");
  }
  template <class... Kinds>
  Text& operator<<(const std::variant<Kinds...>& value) {
    raw("kind").number(value.index());
    return std::visit([this](const auto& held) -> Text& { return *this << held; }, value);
  }
  Text& operator<<(const StartInput& s) {
    return *this << s.name << s.input << s.dedup_id << s.run_number << s.predecessor << s.failed_in_a_row << s.begins_at
                 << s.epoch << s.engine_flags << s.carried;
  }
  Text& operator<<(const EventInput& i) { return *this << i.event << i.mailbox_expires_at; }
  Text& operator<<(const AcceptedInput& i) { return *this << i.position; }
  Text& operator<<(const TimerFired& i) { return *this << i.ordinal; }
  Text& operator<<(const ActivityCompleted& i) { return *this << i.ordinal << i.attempt << i.result; }
  Text& operator<<(const ActivityFailed& i) { return *this << i.ordinal << i.attempt << i.error << i.dead_letter; }
  Text& operator<<(const TerminateInput& i) { return *this << i.reason << i.dedup_id; }
  Text& operator<<(const RetryPolicy& r) {
    return *this << r.max_attempts << r.first_delay << r.factor << r.cap << r.jitter << r.total_time
                 << r.non_retryable_types;
  }
  Text& operator<<(const ActivityScheduled& d) {
    return *this << d.ordinal << d.name << d.input << d.options.retry << d.options.dead_letter_on_failure;
  }
  Text& operator<<(const ActivityCancelled& d) { return *this << d.ordinal; }
  Text& operator<<(const TimerCreated& d) { return *this << d.ordinal << d.due; }
  Text& operator<<(const TimerCancelled& d) { return *this << d.ordinal; }
  Text& operator<<(const EventTaken& d) { return *this << d.ordinal << d.position; }
  Text& operator<<(const WaitCancelled& d) { return *this << d.ordinal << d.name; }
  Text& operator<<(const UnreadDisposition& u) {
    return *this << u.position << u.fate << u.carry_count << u.mailbox_expires_at;
  }
  Text& operator<<(const RunEnd& e) { return *this << e.outcome << e.result << e.error << e.unread; }
  Text& operator<<(const OpenedBody& b) { return *this << b.epoch << b.wall_time << b.opener; }
  Text& operator<<(const AcceptedBody& b) { return *this << b.inputs << b.name; }
  Text& operator<<(const TurnBody& b) {
    *this << b.inputs << b.decisions;
    return b.end ? *this << *b.end : raw("no end");
  }
  Text& operator<<(const AttemptBody& b) { return *this << b.ordinal << b.attempt << b.error << b.retry_at; }
  Text& operator<<(const OperatorActBody& b) {
    return *this << b.act << b.target << b.result << b.error << b.note << b.dedup_id << b.run;
  }
  Text& operator<<(const ExpiryBody& b) { return *this << b.positions; }
  Text& operator<<(const ClockStepBody& b) { return *this << b.from << b.to; }
  Text& operator<<(const SchemaBody& b) {
    return *this << b.schema.hash << b.schema.codec << b.schema.type_id << b.schema.name << b.schema.text;
  }
  Text& operator<<(const QuarantineBody& b) { return *this << b.released << b.turn << b.expected << b.found; }
  Text& operator<<(const RememberedBody& b) { return *this << b.dedup_id << b.run << b.position << b.accepted_at; }
  Text& operator<<(const UnreadEvent& e) {
    return *this << e.position << e.name << e.accepted_at << e.carry_count << e.with_start << e.source
                 << e.mailbox_expires_at;
  }
  Text& operator<<(const PendingTimer& t) { return *this << t.ordinal << t.due; }
  Text& operator<<(const PendingActivity& a) {
    return *this << a.ordinal << a.name << a.decision << a.failures << a.scheduled_in_open << a.scheduled_at
                 << a.retry_at;
  }

  std::string take() { return std::move(text_); }

 private:
  Text& raw(std::string_view text) {
    text_ += text;
    text_ += ' ';
    return *this;
  }
  template <class Number>
  Text& number(Number value, char behind = ' ') {
    std::array<char, 40> digits;
    const auto end = std::to_chars(digits.begin(), digits.end(), value).ptr;
    text_.append(digits.begin(), end);
    text_ += behind;
    return *this;
  }
  std::string text_;
};

}  // namespace

std::string show(const Record& r) {
  return (Text() << r.lsn << r.instance << r.run << r.run_sequence << r.run_previous << r.log_time << r.elapsed
                 << r.body)
      .take();
}

std::string show(const InstanceState& s) {
  return (Text() << s.lsn << s.id << s.name << s.status << s.run << s.run_number << s.failed_in_a_row << s.run_sequence
                 << s.last_record << s.end_record << s.purged_through << s.started_at << s.begins_at << s.begun << s.took_event
                 << s.quarantined << s.updated_at << s.updated_elapsed << s.ended_elapsed << s.error << s.backlog
                 << s.unread << s.timers << s.activities)
      .take();
}

std::string show(const Ledger& l) {
  return (Text() << l.lsn << l.orchestrator << l.accepted << l.consumed << l.pending << l.dead_lettered << l.expired
                 << l.discarded << l.failed_activities)
      .take();
}

std::string show(const DeadLetter& d) {
  return (Text() << d.lsn << d.position << d.state << d.name << d.run << d.at << d.cause << d.is_activity << d.what
                 << d.source << d.ordinal << d.redrives)
      .take();
}

std::string show(const DedupEntry& e) { return (Text() << e.hash << e.position << e.run << e.accepted_at).take(); }

}  // namespace bobbin::testing
