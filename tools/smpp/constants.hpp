// The numbers of SMPP 3.4 that Bobbin uses. Values outside the enumerators are legal in each of these types: they come
// off the wire as they are.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bobbin::smpp {

enum class Command : std::uint32_t {
  bind_receiver = 0x00000001,
  bind_transmitter = 0x00000002,
  submit_sm = 0x00000004,
  unbind = 0x00000006,
  bind_transceiver = 0x00000009,
  enquire_link = 0x00000015,
  generic_nack = 0x80000000,
  bind_receiver_resp = 0x80000001,
  bind_transmitter_resp = 0x80000002,
  submit_sm_resp = 0x80000004,
  unbind_resp = 0x80000006,
  bind_transceiver_resp = 0x80000009,
  enquire_link_resp = 0x80000015,
};

inline constexpr std::uint32_t response_bit = 0x80000000;

// The response that belongs to a request.
constexpr Command response_to(Command request) {
  return static_cast<Command>(static_cast<std::uint32_t>(request) | response_bit);
}

enum class Status : std::uint32_t {
  ok = 0x00,
  invalid_message_length = 0x01,
  invalid_command_length = 0x02,
  invalid_command_id = 0x03,
  invalid_bind_status = 0x04,
  already_bound = 0x05,
  system_error = 0x08,
  invalid_source = 0x0A,
  invalid_destination = 0x0B,
  bind_failed = 0x0D,
  invalid_password = 0x0E,
  invalid_system_id = 0x0F,
  queue_full = 0x14,
  invalid_service_type = 0x15,
  invalid_esm_class = 0x43,
  submit_failed = 0x45,
  throttled = 0x58,
  invalid_schedule = 0x61,
  invalid_expiry = 0x62,
  rejected = 0x64,
  invalid_tlv_stream = 0xC0,
  tlv_not_allowed = 0xC1,
  invalid_tlv_length = 0xC2,
  missing_tlv = 0xC3,
  invalid_tlv_value = 0xC4,
};

// Values of the type-of-number field.
namespace ton {
inline constexpr std::uint8_t unknown = 0;
inline constexpr std::uint8_t international = 1;
inline constexpr std::uint8_t national = 2;
inline constexpr std::uint8_t alphanumeric = 5;
}  // namespace ton

// Values of the numbering-plan field.
namespace npi {
inline constexpr std::uint8_t unknown = 0;
inline constexpr std::uint8_t e164 = 1;
}  // namespace npi

// Values of data_coding that text.hpp decodes.
namespace coding {
inline constexpr std::uint8_t gsm = 0;
inline constexpr std::uint8_t ascii = 1;
inline constexpr std::uint8_t latin1 = 3;
inline constexpr std::uint8_t ucs2 = 8;
}  // namespace coding

// The only bit of esm_class that says a user data header leads the message; the other bits of that field must not be
// read for it.
inline constexpr std::uint8_t esm_class_udh = 0x40;

inline constexpr std::uint8_t interface_version = 0x34;
inline constexpr std::size_t header_bytes = 16;

// Field sizes with their closing NUL.
inline constexpr std::size_t system_id_size_max = 16;
inline constexpr std::size_t password_size_max = 9;
inline constexpr std::size_t system_type_size_max = 13;
inline constexpr std::size_t address_range_size_max = 41;
inline constexpr std::size_t service_type_size_max = 6;
inline constexpr std::size_t address_size_max = 21;
inline constexpr std::size_t time_size = 17;
inline constexpr std::size_t message_id_size_max = 65;
inline constexpr std::size_t short_message_bytes_max = 254;

}  // namespace bobbin::smpp
