// The body of POST /sms.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace bobbin::gateway {

struct SmsRequest {
  std::string from;
  std::string to;
  std::string text;                       // UTF-8
  std::optional<std::string> message_id;  // the client's own: repeating it repeats the message
};

// Why a request is refused; `reason` is fit to be sent back and quotes nothing of the request.
struct Refusal {
  unsigned http_status = 400;
  std::string reason;
};

struct SmsLimits {
  std::size_t address_bytes_max = 64;
  std::size_t text_bytes_max = 16 * 1024;
  std::size_t message_id_bytes_max = 64;
};

// Reads {"from", "to", "text", "message_id" (optional)}, all of them strings. Unknown or repeated members, control
// characters in addresses and ids, invalid UTF-8 and anything above the limits are refused: 413 for a text that is too
// long, else 400.
std::variant<SmsRequest, Refusal> parse_sms_request(std::string_view body, const SmsLimits& limits = {});

}  // namespace bobbin::gateway
