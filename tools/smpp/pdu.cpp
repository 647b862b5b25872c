#include "tools/smpp/pdu.hpp"

#include "tools/smpp/reader.hpp"
#include "tools/smpp/tlv.hpp"

namespace bobbin::smpp {
namespace {

Address read_address(Reader& reader) {
  Address address;
  address.ton = reader.u8();
  address.npi = reader.u8();
  address.digits = reader.c_string(address_size_max);
  return address;
}

// A time is either absent (a lone NUL) or exactly 16 characters.
bool is_time(std::string_view text) { return text.empty() || text.size() == time_size - 1; }

template <typename Number>
Status store(std::string_view value, std::optional<Number>& field) {
  if (value.size() != sizeof(Number)) return Status::invalid_tlv_length;
  Reader reader(value);
  if (!field) field = sizeof(Number) == 1 ? reader.u8() : static_cast<Number>(reader.u16());
  return Status::ok;
}

Status store_tlv(Tlv tag, std::string_view value, SubmitSm& submit) {
  switch (tag) {
    case Tlv::user_message_reference:
      return store(value, submit.user_message_reference);
    case Tlv::sar_reference:
      return store(value, submit.sar_reference);
    case Tlv::sar_total:
      return store(value, submit.sar_total);
    case Tlv::sar_index:
      return store(value, submit.sar_index);
    case Tlv::message_payload:
      if (!submit.message_payload) submit.message_payload = value;
      return Status::ok;
  }
  return Status::ok;
}

Status read_tlvs(Reader& reader, SubmitSm& submit) {
  while (reader.remaining() > 0) {
    const auto tag = static_cast<Tlv>(reader.u16());
    const std::string_view value = reader.bytes(reader.u16());
    if (reader.failed()) return Status::invalid_tlv_stream;
    if (const Status status = store_tlv(tag, value, submit); status != Status::ok) return status;
  }
  return Status::ok;
}

Status check_tlvs(const SubmitSm& submit) {
  // Two bodies at once are ambiguous; the protocol wants sm_length 0 beside message_payload.
  if (submit.message_payload && !submit.short_message.empty()) return Status::tlv_not_allowed;
  const int sar_fields = submit.sar_reference.has_value() + submit.sar_total.has_value() + submit.sar_index.has_value();
  return sar_fields == 0 || sar_fields == 3 ? Status::ok : Status::missing_tlv;
}

void read_submit_fields(Reader& reader, SubmitSm& submit) {
  submit.service_type = reader.c_string(service_type_size_max);
  submit.source = read_address(reader);
  submit.destination = read_address(reader);
  submit.esm_class = reader.u8();
  submit.protocol_id = reader.u8();
  submit.priority = reader.u8();
  submit.schedule_delivery_time = reader.c_string(time_size);
  submit.validity_period = reader.c_string(time_size);
  submit.registered_delivery = reader.u8();
  submit.replace_if_present = reader.u8();
  submit.data_coding = reader.u8();
  submit.default_message_id = reader.u8();
}

Status read_optional_text(std::string_view body, std::size_t size_max, std::string_view& text) {
  text = {};
  if (body.empty()) return Status::ok;
  Reader reader(body);
  text = reader.c_string(size_max);
  return reader.failed() ? Status::invalid_command_length : Status::ok;
}

}  // namespace

Header decode_header(std::string_view bytes) {
  Reader reader(bytes);
  Header header;
  header.length = reader.u32();
  header.command = static_cast<Command>(reader.u32());
  header.status = static_cast<Status>(reader.u32());
  header.sequence = reader.u32();
  return header;
}

Status decode_bind(std::string_view body, Bind& bind) {
  Reader reader(body);
  bind.system_id = reader.c_string(system_id_size_max);
  bind.password = reader.c_string(password_size_max);
  bind.system_type = reader.c_string(system_type_size_max);
  bind.version = reader.u8();
  bind.ton = reader.u8();
  bind.npi = reader.u8();
  bind.address_range = reader.c_string(address_range_size_max);
  return reader.failed() ? Status::invalid_command_length : Status::ok;
}

Status decode_submit_sm(std::string_view body, SubmitSm& submit) {
  submit = {};
  Reader reader(body);
  read_submit_fields(reader, submit);
  const std::uint8_t message_bytes = reader.u8();
  if (reader.failed()) return Status::invalid_command_length;
  if (message_bytes > short_message_bytes_max) return Status::invalid_message_length;
  submit.short_message = reader.bytes(message_bytes);
  if (reader.failed()) return Status::invalid_message_length;
  if (!is_time(submit.schedule_delivery_time)) return Status::invalid_schedule;
  if (!is_time(submit.validity_period)) return Status::invalid_expiry;
  if (const Status status = read_tlvs(reader, submit); status != Status::ok) return status;
  return check_tlvs(submit);
}

Status decode_bind_resp(std::string_view body, std::string_view& system_id) {
  return read_optional_text(body, system_id_size_max, system_id);
}

Status decode_submit_sm_resp(std::string_view body, std::string_view& message_id) {
  return read_optional_text(body, message_id_size_max, message_id);
}

}  // namespace bobbin::smpp
