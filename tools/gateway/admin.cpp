#include "tools/gateway/admin.hpp"

#include "tools/gateway/sign.hpp"

#include <nlohmann/json.hpp>

#include <charconv>
#include <optional>

namespace bobbin::gateway {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view letters_path = "/dead-letters";

http::Response json_response(unsigned status, const Json& json) {
  return {status, json.dump() + "\n", "application/json", {}};
}

http::Response problem(unsigned status, const std::string& reason) {
  return json_response(status, {{"error", reason}});
}

std::optional<Position> parse_position(std::string_view text) {
  Position position;
  const auto* end = text.data() + text.size();
  const auto lsn = std::from_chars(text.data(), end, position.lsn);
  if (lsn.ec != std::errc() || lsn.ptr == end || *lsn.ptr != '.') return std::nullopt;
  const auto index = std::from_chars(lsn.ptr + 1, end, position.index);
  if (index.ec != std::errc() || index.ptr != end) return std::nullopt;
  return position;
}

Json letter_json(const DeadLetter& letter) {
  return {{"position", to_string(letter.position)},
          {"kind", letter.is_activity ? "activity" : "event"},
          {"what", letter.what},
          {"state", to_string(letter.state)},
          {"orchestrator", letter.name.orchestrator},
          {"instance", to_hex(instance_id(letter.name))},
          {"run", letter.run},
          {"at_us", letter.at.time_since_epoch().count()},
          {"cause", {{"type", letter.cause.type}, {"message", letter.cause.message}}},
          {"redrives", letter.redrives}};
}

Json ledger_json(const Ledger& ledger) {
  return {{"orchestrator", ledger.orchestrator},   {"accepted", ledger.accepted},
          {"consumed", ledger.consumed},           {"pending", ledger.pending},
          {"dead_lettered", ledger.dead_lettered}, {"expired", ledger.expired},
          {"discarded", ledger.discarded},         {"failed_activities", ledger.failed_activities},
          {"balanced", ledger.balanced()}};
}

Json engine_json(const EngineStats& stats) {
  return {{"accepted", stats.accepted},
          {"duplicates", stats.duplicates},
          {"refused", stats.refused},
          {"refused_storage_full", stats.refused_storage_full},
          {"storage_full", stats.storage_full},
          {"records", stats.records},
          {"commits", stats.commits},
          {"turns", stats.turns},
          {"replays", stats.replays},
          {"evictions", stats.evictions},
          {"late_inputs", stats.late_inputs},
          {"unregistered", stats.unregistered},
          {"quarantined", stats.quarantined},
          {"damage_met", stats.damage_met},
          {"activity_attempts", stats.activity_attempts},
          {"activity_retries", stats.activity_retries},
          {"activity_failures", stats.activity_failures},
          {"activities_running", stats.activities_running},
          {"inbox_requests", stats.inbox_requests},
          {"resident", stats.resident},
          {"last_lsn", stats.last_lsn},
          {"durable_lsn", stats.durable_lsn},
          {"failed", stats.failed}};
}

http::Response error_response(const Error& error) {
  switch (error.code()) {
    case ErrorCode::not_found:
      return problem(404, error.what());
    case ErrorCode::invalid_argument:
      return problem(409, error.what());
    case ErrorCode::none:
    case ErrorCode::application:
    case ErrorCode::cancelled:
    case ErrorCode::timed_out:
    case ErrorCode::already_exists:
    case ErrorCode::overloaded:
    case ErrorCode::storage_full:
    case ErrorCode::outcome_unknown:
    case ErrorCode::closed:
    case ErrorCode::locked:
    case ErrorCode::corrupt:
    case ErrorCode::unsupported_format:
    case ErrorCode::terminated:
      return problem(503, error.what());
  }
  return problem(503, error.what());
}

}  // namespace

Admin::Admin(Sources sources, std::string token, std::function<void(std::function<void()>)> run_aside)
    : sources_(sources), tokens_{std::move(token)}, run_aside_(std::move(run_aside)) {}

void Admin::handle(const http::Request& request, http::Respond respond) {
  if (request.path == "/healthz") {
    const auto stats = sources_.engine.stats();
    const bool healthy = !stats.failed;
    return respond(json_response(healthy ? 200 : 503, {{"healthy", healthy}, {"storage_full", stats.storage_full}}));
  }
  if (!find_bearer(request.header("Authorization"), tokens_))
    return respond(problem(401, "give the admin token as 'Authorization: Bearer <token>'"));
  auto shared = std::make_shared<http::Respond>(std::move(respond));
  run_aside_([this, request, shared] {
    try {
      (*shared)(answer(request));
    } catch (const Error& error) {
      (*shared)(error_response(error));
    }
  });
}

http::Response Admin::answer(const http::Request& request) {
  const bool get = request.method == "GET";
  if (get && request.path == "/stats") return stats();
  if (get && request.path == letters_path) return dead_letters(request.query);
  if (request.method == "POST" && request.path.starts_with(letters_path)) return act(request);
  return problem(404, "there is no " + request.method + " " + request.path + " here");
}

http::Response Admin::stats() {
  Json json;
  json["engine"] = engine_json(sources_.engine.stats());
  json["intake"] = {{"accepted", sources_.intake.accepted.load()},
                    {"repeated", sources_.intake.repeated.load()},
                    {"refused", sources_.intake.refused.load()}};
  if (const auto* smpp = sources_.smpp)
    json["smpp"] = {{"sessions", smpp->sessions.load()},
                    {"binds", smpp->binds.load()},
                    {"failed_binds", smpp->failed_binds.load()},
                    {"submits", smpp->submits.load()},
                    {"nacks", smpp->nacks.load()},
                    {"malformed", smpp->malformed.load()},
                    {"throttled", smpp->throttled.load()}};
  if (const auto* http = sources_.http)
    json["http"] = {{"requests", http->requests.load()}, {"malformed", http->malformed.load()}};
  auto& ledgers = json["ledgers"] = Json::array();
  for (const auto& ledger : sources_.engine.ledgers()) ledgers.push_back(ledger_json(ledger));
  return json_response(200, json);
}

http::Response Admin::dead_letters(const std::string& query) {
  constexpr std::string_view after_parameter = "after=";
  Position after;
  if (!query.empty()) {
    const auto parsed = query.starts_with(after_parameter)
                            ? parse_position(std::string_view(query).substr(after_parameter.size()))
                            : std::nullopt;
    if (!parsed) return problem(400, "the only parameter is after=LSN.INDEX, the last position of the page before");
    after = *parsed;
  }
  Json list = Json::array();
  for (const auto& letter : sources_.engine.dead_letters(after)) list.push_back(letter_json(letter));
  return json_response(200, {{"dead_letters", list}});
}

http::Response Admin::act(const http::Request& request) {
  const auto rest = std::string_view(request.path).substr(letters_path.size());
  const auto slash = rest.rfind('/');
  const auto position = rest.empty() || slash == 0 || slash == std::string_view::npos
                            ? std::nullopt
                            : parse_position(rest.substr(1, slash - 1));
  const auto verb = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
  if (!position || (verb != "redrive" && verb != "discard"))
    return problem(404, "acts on dead letters are POST /dead-letters/LSN.INDEX/redrive and .../discard");
  OperatorOptions options{.note = "admin interface"};
  // One key may serve for several letters: a repetition is the same act on the same letter.
  if (const auto key = request.header("Idempotency-Key"); !key.empty())
    options.dedup_id = std::string(verb) + " " + to_string(*position) + " " + std::string(key);
  const auto done =
      verb == "redrive" ? sources_.engine.redrive(*position, options) : sources_.engine.discard(*position, options);
  return json_response(202,
                       {{"recorded_at", to_string(done.position)}, {"repeated", done.how == Acceptance::duplicate}});
}

}  // namespace bobbin::gateway
