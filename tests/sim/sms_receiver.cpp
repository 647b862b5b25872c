#include "tests/sim/sms_receiver.hpp"

#include <bobbin/codec.hpp>
#include <bobbin/workflows/sms.hpp>

#include <nlohmann/json.hpp>

namespace bobbin::sim {

void SmsReceiver::receive(const ActivityTask& delivery) {
  const auto batch = decode<workflows::BatchDelivery>(delivery.input);
  const auto& key = delivery.context.idempotency_key;
  const auto [at, is_new] = bodies_.try_emplace(key, batch.body);
  if (!is_new && at->second != batch.body) verdict_.broken("a batch comes with another body under its key (S31)");
  if (is_new) take_apart(key, batch.body);
}

void SmsReceiver::take_apart(const std::string& key, const std::string& body) {
  const auto json = nlohmann::json::parse(body);
  const auto conversation = json.at("from").get<std::string>() + " to " + json.at("to").get<std::string>();
  const auto opened = json.at("opened_at_us").get<std::int64_t>();
  const auto closed = json.at("closed_at_us").get<std::int64_t>();
  const bool by_time = json.at("closed_by") == "time";
  auto& last_closed = closed_at_[conversation];
  if (opened < last_closed)
    verdict_.broken("a batch of " + conversation + " opens before the one before it closed (S29)");
  last_closed = closed;
  auto before = opened;
  for (const auto& message : json.at("messages")) {
    const auto id = message.at("id").get<std::string>();
    const auto at = message.at("accepted_at_us").get<std::int64_t>();
    if (at < before || (by_time ? at >= closed : at > closed))
      verdict_.broken("message " + id + " is in a window of " + conversation + " that it does not belong to (S29)");
    before = at;
    const auto [owner, is_new] = keys_.try_emplace(id, key);
    if (!is_new && owner->second != key) verdict_.broken("message " + id + " comes in two batches (P2)");
  }
}

void SmsReceiver::check_delivered(const std::vector<std::string>& ids) {
  for (const auto& id : ids)
    if (!keys_.contains(id)) verdict_.broken("message " + id + " was accepted, but never delivered (P2)");
}

}  // namespace bobbin::sim
