// What a submit_sm carries: its user data without a header, and its place in a longer message.
#pragma once

#include "tools/smpp/pdu.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace bobbin::smpp {

// One part of a longer message: part `index` (from 1) of `total` (at least 2).
struct PartInfo {
  std::uint16_t reference = 0;
  std::uint8_t total = 0;
  std::uint8_t index = 0;

  friend bool operator==(const PartInfo&, const PartInfo&) = default;
};

struct UserData {
  std::string_view content;  // without the user data header; a view into the PDU
  std::optional<PartInfo> part;
};

// Takes the message apart. The user data header wins over sar_* TLVs. A concatenation that cannot be (total or index 0,
// index above total) is ignored, as 3GPP TS 23.040 asks, and a message of one part is a whole message. A header that
// does not fit in its message gives invalid_esm_class.
Status split_user_data(const SubmitSm& submit, UserData& user_data);

}  // namespace bobbin::smpp
