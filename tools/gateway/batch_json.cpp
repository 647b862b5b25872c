#include "tools/gateway/batch_json.hpp"

#include <nlohmann/json.hpp>

namespace bobbin::gateway {

namespace {

std::int64_t micros(LogTime time) { return time.time_since_epoch().count(); }

nlohmann::ordered_json message_json(const workflows::BatchedSms& message) {
  nlohmann::ordered_json json{{"id", message.id}, {"accepted_at_us", micros(message.accepted_at)}};
  json["text"] = message.sms.text;
  if (!message.sms.binary_hex.empty()) json["octets_hex"] = message.sms.binary_hex;
  if (message.sms.part_total != 0)
    json["part"] = {{"reference", message.sms.part_reference},
                    {"total", message.sms.part_total},
                    {"number", message.sms.part_number}};
  json["account"] = message.sms.account;
  return json;
}

}  // namespace

std::string batch_json(const workflows::SmsBatch& batch) {
  nlohmann::ordered_json json{{"from", batch.from},
                              {"to", batch.to},
                              {"opened_at_us", micros(batch.opened_at)},
                              {"closed_at_us", micros(batch.closed_at)},
                              {"closed_by", batch.closed_by}};
  auto& messages = json["messages"] = nlohmann::ordered_json::array();
  for (const auto& message : batch.messages) messages.push_back(message_json(message));
  // Texts are valid UTF-8 already; an address from SMPP may be any octets.
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace bobbin::gateway
