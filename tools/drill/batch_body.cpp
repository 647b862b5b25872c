#include "tools/drill/batch_body.hpp"

#include <nlohmann/json.hpp>

namespace bobbin::drill {

namespace {

LogTime time_at(const nlohmann::json& json, const char* member) {
  return LogTime(Duration(json.at(member).get<std::int64_t>()));
}

}  // namespace

std::optional<BatchBody> parse_batch_body(const std::string& body) {
  try {
    const auto json = nlohmann::json::parse(body);
    BatchBody batch;
    batch.from = json.at("from").get<std::string>();
    batch.to = json.at("to").get<std::string>();
    batch.opened_at = time_at(json, "opened_at_us");
    batch.closed_at = time_at(json, "closed_at_us");
    batch.closed_by = json.at("closed_by").get<std::string>();
    for (const auto& message : json.at("messages"))
      batch.messages.push_back({message.at("id").get<std::string>(), time_at(message, "accepted_at_us"),
                                message.at("text").get<std::string>()});
    return batch;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

}  // namespace bobbin::drill
