// Reading SMPP 3.4 PDUs. Nothing here allocates: every string_view points into the bytes handed in and lives as long as
// they do. No length that a peer wrote is believed before it is checked against the bytes that are there.
#pragma once

#include "tools/smpp/constants.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace bobbin::smpp {

struct Header {
  std::uint32_t length = 0;  // of the whole PDU, header included, in bytes
  Command command{};
  Status status{};
  std::uint32_t sequence = 0;
};

struct Pdu {
  Header header;
  std::string_view body;
};

struct Address {
  std::uint8_t ton = 0;
  std::uint8_t npi = 0;
  std::string_view digits;  // or letters, if ton is alphanumeric
};

struct Bind {
  std::string_view system_id;
  std::string_view password;
  std::string_view system_type;
  std::uint8_t version = interface_version;
  std::uint8_t ton = 0;
  std::uint8_t npi = 0;
  std::string_view address_range;
};

struct SubmitSm {
  std::string_view service_type;
  Address source;
  Address destination;
  std::uint8_t esm_class = 0;
  std::uint8_t protocol_id = 0;
  std::uint8_t priority = 0;
  std::string_view schedule_delivery_time;  // empty or 16 characters
  std::string_view validity_period;         // empty or 16 characters
  std::uint8_t registered_delivery = 0;
  std::uint8_t replace_if_present = 0;
  std::uint8_t data_coding = 0;
  std::uint8_t default_message_id = 0;
  std::string_view short_message;  // at most 254 bytes

  std::optional<std::uint16_t> user_message_reference;
  std::optional<std::string_view> message_payload;
  std::optional<std::uint16_t> sar_reference;
  std::optional<std::uint8_t> sar_total;
  std::optional<std::uint8_t> sar_index;
};

// Reads the 16 header bytes; `bytes` must hold at least that many.
Header decode_header(std::string_view bytes);

// Each of these reads one kind of body. The answer is Status::ok, or the status with which the PDU is to be refused;
// the output is then only partly filled. Unknown TLVs are passed over, as the protocol asks; of a repeated TLV the
// first counts.
Status decode_bind(std::string_view body, Bind& bind);
Status decode_submit_sm(std::string_view body, SubmitSm& submit);
// A response with an error may have no body; the output is then empty.
Status decode_bind_resp(std::string_view body, std::string_view& system_id);
Status decode_submit_sm_resp(std::string_view body, std::string_view& message_id);

}  // namespace bobbin::smpp
