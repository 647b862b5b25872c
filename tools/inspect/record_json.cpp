#include "tools/inspect/record_json.hpp"

#include "engine/base/overloaded.hpp"
#include "tools/inspect/time_text.hpp"

namespace bobbin::inspect {

namespace {

Json error_json(const ErrorInfo& error) {
  Json json{{"code", to_string(error.code)}};
  if (!error.type.empty()) json["type"] = error.type;
  json["message"] = error.message;
  return json;
}

class RecordWriter {
 public:
  RecordWriter(const Record& record, PayloadDecoder& payloads) : record_(record), payloads_(payloads) {}

  Json write() {
    Json json{{"lsn", record_.lsn}, {"kind", kind_name(record_.body)}, {"log_time", time_text(record_.log_time)}};
    if (record_.run != 0) {
      json["run"] = record_.run;
      json["run_sequence"] = record_.run_sequence;
      json["run_previous"] = record_.run_previous;
    }
    json.update(std::visit([this](const auto& body) { return this->body(body); }, record_.body));
    return json;
  }

 private:
  Json body(const OpenedBody& body) {
    return {{"epoch", to_hex(body.epoch)}, {"wall_time", time_text(body.wall_time)}, {"opener", body.opener}};
  }
  Json body(const AcceptedBody& body) { return {{"inputs", inputs(body.inputs)}}; }
  Json body(const TurnBody& body) {
    Json json{{"inputs", inputs(body.inputs)}, {"decisions", Json::array()}};
    for (const auto& one : body.decisions)
      json["decisions"].push_back(std::visit([this](const auto& d) { return this->decision(d); }, one));
    if (body.end) json["end"] = end(*body.end);
    return json;
  }
  Json body(const AttemptBody& body) {
    return {{"ordinal", body.ordinal},
            {"attempt", body.attempt},
            {"error", error_json(body.error)},
            {"retry_at", time_text(body.retry_at)}};
  }
  Json body(const OperatorActBody& body) {
    static constexpr const char* names[] = {"?", "redrive", "discard", "redrive_succeeded", "redrive_failed", "purge"};
    Json json{{"act", names[static_cast<unsigned>(body.act)]}, {"target", to_string(body.target)}};
    if (body.result) json["result"] = payloads_.decode(body.result);
    if (body.error) json["error"] = error_json(body.error);
    if (!body.note.empty()) json["note"] = body.note;
    if (!body.dedup_id.empty()) json["dedup_id"] = body.dedup_id;
    return json;
  }
  Json body(const ExpiryBody& body) {
    Json positions = Json::array();
    for (const auto position : body.positions) positions.push_back(to_string(position));
    return {{"positions", positions}};
  }
  Json body(const ClockStepBody& body) { return {{"from", time_text(body.from)}, {"to", time_text(body.to)}}; }
  Json body(const SchemaBody& body) {
    return {{"name", body.schema.name}, {"schema_hash", body.schema.hash}, {"type_id", body.schema.type_id}};
  }
  Json body(const QuarantineBody& body) {
    if (body.released) return {{"released", true}};
    return {{"released", false}, {"turn", body.turn}, {"expected", body.expected}, {"found", body.found}};
  }

  Json body(const RememberedBody& body) {
    return {{"dedup_id", body.dedup_id},
            {"run", body.run},
            {"position", to_string(body.position)},
            {"accepted_at", time_text(body.accepted_at)}};
  }

  Json inputs(const std::vector<Input>& list) {
    Json json = Json::array();
    for (const auto& one : list)
      json.push_back(std::visit([this](const auto& input) { return this->input(input); }, one));
    return json;
  }
  Json event(const Event& event) {
    Json json{{"kind", "event"},
              {"name", event.name},
              {"position", to_string(event.position)},
              {"accepted_at", time_text(event.accepted_at)}};
    if (!event.dedup_id.empty()) json["dedup_id"] = event.dedup_id;
    if (event.carry_count != 0) json["carry_count"] = event.carry_count;
    json["value"] = payloads_.decode(event.value);
    if (event.with_start) json["start_input"] = payloads_.decode(event.start_input);
    return json;
  }
  Json input(const StartInput& start) {
    Json json{{"kind", "start"},
              {"orchestrator", start.name.orchestrator},
              {"key", key_json(start.name.key)},
              {"run_number", start.run_number},
              {"input", payloads_.decode(start.input)}};
    if (start.predecessor != 0) json["predecessor"] = start.predecessor;
    if (start.failed_in_a_row != 0) json["failed_in_a_row"] = start.failed_in_a_row;
    if (start.begins_at > record_.log_time) json["begins_at"] = time_text(start.begins_at);
    for (const auto& carried : start.carried) json["carried"].push_back(event(carried));
    return json;
  }
  Json input(const EventInput& input) { return event(input.event); }
  Json input(const AcceptedInput& input) { return {{"kind", "accepted"}, {"position", to_string(input.position)}}; }
  Json input(const TimerFired& timer) { return {{"kind", "timer_fired"}, {"ordinal", timer.ordinal}}; }
  Json input(const ActivityCompleted& done) {
    return {{"kind", "activity_completed"},
            {"ordinal", done.ordinal},
            {"attempt", done.attempt},
            {"result", payloads_.decode(done.result)}};
  }
  Json input(const ActivityFailed& failed) {
    return {{"kind", "activity_failed"},
            {"ordinal", failed.ordinal},
            {"attempt", failed.attempt},
            {"error", error_json(failed.error)},
            {"dead_letter", failed.dead_letter}};
  }
  Json input(const TerminateInput& input) { return {{"kind", "terminate"}, {"reason", input.reason}}; }

  Json decision(const ActivityScheduled& d) {
    return {{"kind", "activity"}, {"ordinal", d.ordinal}, {"name", d.name}, {"input", payloads_.decode(d.input)}};
  }
  Json decision(const ActivityCancelled& d) { return {{"kind", "activity_cancelled"}, {"ordinal", d.ordinal}}; }
  Json decision(const TimerCreated& d) {
    return {{"kind", "timer"}, {"ordinal", d.ordinal}, {"due", time_text(d.due)}};
  }
  Json decision(const TimerCancelled& d) { return {{"kind", "timer_cancelled"}, {"ordinal", d.ordinal}}; }
  Json decision(const EventTaken& d) {
    return {{"kind", "event_taken"}, {"ordinal", d.ordinal}, {"position", to_string(d.position)}};
  }
  Json decision(const WaitCancelled& d) {
    return {{"kind", "wait_cancelled"}, {"ordinal", d.ordinal}, {"name", d.name}};
  }

  Json end(const RunEnd& end) {
    static constexpr const char* outcomes[] = {"?", "completed", "failed", "terminated"};
    static constexpr const char* fates[] = {"?", "successor", "mailbox", "dead_lettered", "discarded"};
    Json json{{"outcome", outcomes[static_cast<unsigned>(end.outcome)]}};
    if (end.result) json["result"] = payloads_.decode(end.result);
    if (end.error) json["error"] = error_json(end.error);
    for (const auto& unread : end.unread)
      json["unread"].push_back({{"position", to_string(unread.position)},
                                {"fate", fates[static_cast<unsigned>(unread.fate)]},
                                {"carry_count", unread.carry_count}});
    return json;
  }

  const Record& record_;
  PayloadDecoder& payloads_;
};

}  // namespace

Json key_json(const std::string& key) { return is_printable_utf8(key) ? Json(key) : Json{{"hex", hex(key)}}; }

Json record_json(const Record& record, PayloadDecoder& payloads) { return RecordWriter(record, payloads).write(); }

Json state_json(const InstanceState& state) {
  Json json{{"id", to_hex(state.id)},
            {"orchestrator", state.name.orchestrator},
            {"key", key_json(state.name.key)},
            {"status", state.quarantined ? "quarantined" : to_string(state.status)},
            {"run", state.run},
            {"run_number", state.run_number},
            {"records", state.run_sequence},
            {"started_at", time_text(state.started_at)},
            {"unread", state.unread.size()},
            {"timers", state.timers.size()},
            {"activities", state.activities.size()}};
  if (const auto due = next_due(state))
    json["next_due"] = due->time_since_epoch().count() == 0 ? "now" : time_text(*due);
  if (state.error) json["error"] = error_json(state.error);
  return json;
}

Json ledger_json(const Ledger& ledger) {
  return {{"orchestrator", ledger.orchestrator},   {"accepted", ledger.accepted},
          {"consumed", ledger.consumed},           {"pending", ledger.pending},
          {"dead_lettered", ledger.dead_lettered}, {"expired", ledger.expired},
          {"discarded", ledger.discarded},         {"failed_activities", ledger.failed_activities},
          {"balanced", ledger.balanced()}};
}

}  // namespace bobbin::inspect
