// A batch's body as the receiver reads it.
#pragma once

#include "tools/drill/journal.hpp"

#include <optional>
#include <string>
#include <vector>

namespace bobbin::drill {

struct BodyMessage {
  std::string id;
  LogTime accepted_at{};
  std::string text;
};

struct BatchBody {
  std::string from;
  std::string to;
  LogTime opened_at{};
  LogTime closed_at{};
  std::string closed_by;
  std::vector<BodyMessage> messages;
};

// Nothing if it is not a batch as the gateway documents it.
std::optional<BatchBody> parse_batch_body(const std::string& body);

}  // namespace bobbin::drill
