#include "tools/gateway/http_api.hpp"

#include <nlohmann/json.hpp>

#include <set>

namespace bobbin::gateway {
namespace {

using Json = nlohmann::json;

struct Refused {
  Refusal refusal;
};

[[noreturn]] void refuse(const std::string& reason, unsigned http_status = 400) {
  throw Refused{{http_status, reason}};
}

// Members may stand once only: two parsers that each pick another of two would disagree about what was sent.
Json parse_object(std::string_view body) {
  std::set<std::string> seen;
  const auto check = [&seen](int depth, Json::parse_event_t event, Json& value) {
    if (event == Json::parse_event_t::key && depth == 1 && !seen.insert(value.get<std::string>()).second) {
      refuse("the body has a member twice");
    }
    return true;
  };
  Json json;
  try {
    json = Json::parse(body, check);
  } catch (const Json::parse_error& error) {
    refuse("the body is not JSON in UTF-8, see byte " + std::to_string(error.byte));
  } catch (const Json::out_of_range&) {
    refuse("the body has a number that is out of range");
  }
  if (!json.is_object()) refuse("the body is not a JSON object");
  return json;
}

void refuse_unknown_members(const Json& json) {
  static constexpr std::string_view known[] = {"from", "to", "text", "message_id"};
  for (const auto& [name, value] : json.items()) {
    if (std::find(std::begin(known), std::end(known), name) == std::end(known)) {
      refuse("the body has a member other than from, to, text and message_id");
    }
  }
}

std::string take_string(const Json& json, const std::string& name) {
  const auto member = json.find(name);
  if (member == json.end()) refuse("member \"" + name + "\" is missing");
  if (!member->is_string()) refuse("member \"" + name + "\" is not a string");
  return member->get<std::string>();
}

std::string take_word(const Json& json, const std::string& name, std::size_t bytes_max) {
  std::string word = take_string(json, name);
  if (word.empty() || word.size() > bytes_max) {
    refuse("member \"" + name + "\" has " + std::to_string(word.size()) + " bytes; 1 to " + std::to_string(bytes_max) +
           " are accepted");
  }
  for (const char letter : word) {
    const auto value = static_cast<unsigned char>(letter);
    if (value < 0x20 || value == 0x7F) refuse("member \"" + name + "\" has control characters");
  }
  return word;
}

std::string take_text(const Json& json, std::size_t bytes_max) {
  std::string text = take_string(json, "text");
  if (text.empty()) refuse("member \"text\" is empty");
  if (text.size() > bytes_max) {
    refuse("member \"text\" has " + std::to_string(text.size()) + " bytes; at most " + std::to_string(bytes_max) +
               " are accepted",
           413);
  }
  return text;
}

}  // namespace

std::variant<SmsRequest, Refusal> parse_sms_request(std::string_view body, const SmsLimits& limits) {
  try {
    const Json json = parse_object(body);
    refuse_unknown_members(json);
    SmsRequest request;
    request.from = take_word(json, "from", limits.address_bytes_max);
    request.to = take_word(json, "to", limits.address_bytes_max);
    request.text = take_text(json, limits.text_bytes_max);
    if (json.contains("message_id")) request.message_id = take_word(json, "message_id", limits.message_id_bytes_max);
    return request;
  } catch (const Refused& refused) {
    return refused.refusal;
  }
}

}  // namespace bobbin::gateway
