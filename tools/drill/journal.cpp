#include "tools/drill/journal.hpp"

#include <nlohmann/json.hpp>

#include <fstream>

namespace bobbin::drill {

namespace {

std::int64_t micros(LogTime time) { return time.time_since_epoch().count(); }

}  // namespace

void write_journals(const std::filesystem::path& directory, const SentMessages& sent, const ReceivedBatches& batches) {
  using Json = nlohmann::ordered_json;
  std::ofstream clients(directory / "clients.jsonl");
  for (const auto& message : sent) {
    Json json{{"text", message.text}, {"from", message.from}, {"to", message.to}};
    if (message.reference) json["reference"] = *message.reference;
    json["first_sent_us"] = micros(message.first_sent);
    json["sends"] = message.sends;
    if (message.answered) {
      json["acknowledged_us"] = micros(message.acknowledged);
      json["message_id"] = message.message_id;
    }
    if (!message.differing_ids.empty()) json["differing_ids"] = message.differing_ids;
    clients << json.dump() << '\n';
  }
  std::ofstream receiver(directory / "receiver.jsonl");
  for (const auto& batch : batches) {
    const Json json{
        {"key", batch.key}, {"used_us", micros(batch.used_at)}, {"times", batch.times}, {"body", batch.body}};
    receiver << json.dump() << '\n';
  }
}

}  // namespace bobbin::drill
