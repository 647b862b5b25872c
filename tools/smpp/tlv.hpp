// The optional parameters that Bobbin reads and writes.
#pragma once

#include <cstdint>

namespace bobbin::smpp {

enum class Tlv : std::uint16_t {
  user_message_reference = 0x0204,
  sar_reference = 0x020C,
  sar_total = 0x020E,
  sar_index = 0x020F,
  message_payload = 0x0424,
};

}  // namespace bobbin::smpp
