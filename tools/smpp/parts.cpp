#include "tools/smpp/parts.hpp"

#include "tools/smpp/reader.hpp"

namespace bobbin::smpp {
namespace {

constexpr std::uint8_t element_reference_8_bit = 0x00;
constexpr std::uint8_t element_reference_16_bit = 0x08;

std::optional<PartInfo> plausible(PartInfo part) {
  if (part.total < 2 || part.index == 0 || part.index > part.total) return std::nullopt;
  return part;
}

std::optional<PartInfo> read_element(std::uint8_t element, std::string_view value) {
  const bool wide = element == element_reference_16_bit && value.size() == 4;
  const bool narrow = element == element_reference_8_bit && value.size() == 3;
  if (!wide && !narrow) return std::nullopt;
  Reader reader(value);
  PartInfo part;
  part.reference = wide ? reader.u16() : reader.u8();
  part.total = reader.u8();
  part.index = reader.u8();
  return plausible(part);
}

Status read_user_data_header(std::string_view bytes, UserData& user_data) {
  Reader message(bytes);
  Reader header(message.bytes(message.u8()));
  if (message.failed()) return Status::invalid_esm_class;
  while (header.remaining() > 0) {
    const std::uint8_t element = header.u8();
    const std::string_view value = header.bytes(header.u8());
    if (header.failed()) return Status::invalid_esm_class;
    // Of two, the last counts (3GPP TS 23.040, 9.2.3.24).
    if (const auto part = read_element(element, value)) user_data.part = part;
  }
  user_data.content = message.bytes(message.remaining());
  return Status::ok;
}

}  // namespace

Status split_user_data(const SubmitSm& submit, UserData& user_data) {
  user_data = {};
  const std::string_view bytes = submit.message_payload.value_or(submit.short_message);
  if (submit.sar_reference && submit.sar_total && submit.sar_index) {
    user_data.part = plausible({*submit.sar_reference, *submit.sar_total, *submit.sar_index});
  }
  if ((submit.esm_class & esm_class_udh) != 0) return read_user_data_header(bytes, user_data);
  user_data.content = bytes;
  return Status::ok;
}

}  // namespace bobbin::smpp
