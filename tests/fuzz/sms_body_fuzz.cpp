// The body of POST /sms: refused with a reason, or read as members that say the same when they are written again.
#include "tests/fuzz/input.hpp"
#include "tools/gateway/http_api.hpp"
#include "tools/smpp/text.hpp"

#include <nlohmann/json.hpp>

using namespace bobbin::gateway;
using bobbin::fuzz::require;

namespace {

void check_accepted(const SmsRequest& request) {
  const SmsLimits limits;
  require(!request.from.empty() && request.from.size() <= limits.address_bytes_max, "`from` keeps its bounds");
  require(!request.to.empty() && request.to.size() <= limits.address_bytes_max, "`to` keeps its bounds");
  require(!request.text.empty() && request.text.size() <= limits.text_bytes_max, "`text` keeps its bounds");
  for (const auto* text : {&request.from, &request.to, &request.text})
    require(bobbin::smpp::is_utf8(*text), "what is accepted is UTF-8");
  nlohmann::json json = {{"from", request.from}, {"to", request.to}, {"text", request.text}};
  if (request.message_id) json["message_id"] = *request.message_id;
  const auto again = parse_sms_request(json.dump());
  const auto* same = std::get_if<SmsRequest>(&again);
  require(same && same->from == request.from && same->to == request.to && same->text == request.text &&
              same->message_id == request.message_id,
          "a request says the same when it is written again");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto result = parse_sms_request({reinterpret_cast<const char*>(data), size});
  if (const auto* request = std::get_if<SmsRequest>(&result)) {
    check_accepted(*request);
  } else {
    const auto& refusal = std::get<Refusal>(result);
    require(refusal.http_status == 400 || refusal.http_status == 413, "a refusal is the client's fault");
    require(!refusal.reason.empty() && refusal.reason.size() < 200, "a reason is short");
  }
  return 0;
}
