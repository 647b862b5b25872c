#include "tools/smpp/encode.hpp"

#include "tools/smpp/tlv.hpp"

#include <limits>
#include <stdexcept>

namespace bobbin::smpp {
namespace {

// Appends to a string and cuts it back to where it was, unless finish() is reached.
class Writer {
 public:
  Writer(std::string& out, Command command, Status status, std::uint32_t sequence) : out_(out), start_(out.size()) {
    u32(0);
    u32(static_cast<std::uint32_t>(command));
    u32(static_cast<std::uint32_t>(status));
    u32(sequence);
  }
  ~Writer() {
    if (!finished_) out_.resize(start_);
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void finish() {
    const std::size_t size = out_.size() - start_;
    for (int i = 0; i < 4; ++i) out_[start_ + i] = static_cast<char>(size >> (24 - 8 * i));
    finished_ = true;
  }

  void u8(std::uint8_t value) { out_.push_back(static_cast<char>(value)); }
  void u16(std::uint16_t value) {
    u8(static_cast<std::uint8_t>(value >> 8));
    u8(static_cast<std::uint8_t>(value));
  }
  void u32(std::uint32_t value) {
    u16(static_cast<std::uint16_t>(value >> 16));
    u16(static_cast<std::uint16_t>(value));
  }
  void bytes(std::string_view value) { out_.append(value); }

  void c_string(std::string_view value, std::size_t size_max, const char* field) {
    if (value.size() >= size_max || value.find('\0') != std::string_view::npos) {
      throw std::invalid_argument(std::string("SMPP field ") + field + " has " + std::to_string(value.size()) +
                                  " bytes; at most " + std::to_string(size_max - 1) + " without NUL fit");
    }
    bytes(value);
    u8(0);
  }

  void address(const Address& address, const char* field) {
    u8(address.ton);
    u8(address.npi);
    c_string(address.digits, address_size_max, field);
  }

  void tlv(Tlv tag, std::size_t size) {
    u16(static_cast<std::uint16_t>(tag));
    u16(static_cast<std::uint16_t>(size));
  }

 private:
  std::string& out_;
  std::size_t start_;
  bool finished_ = false;
};

void write_tlvs(Writer& writer, const SubmitSm& submit) {
  if (submit.user_message_reference) {
    writer.tlv(Tlv::user_message_reference, 2);
    writer.u16(*submit.user_message_reference);
  }
  if (submit.sar_reference) {
    writer.tlv(Tlv::sar_reference, 2);
    writer.u16(*submit.sar_reference);
  }
  if (submit.sar_total) {
    writer.tlv(Tlv::sar_total, 1);
    writer.u8(*submit.sar_total);
  }
  if (submit.sar_index) {
    writer.tlv(Tlv::sar_index, 1);
    writer.u8(*submit.sar_index);
  }
  if (submit.message_payload) {
    writer.tlv(Tlv::message_payload, submit.message_payload->size());
    writer.bytes(*submit.message_payload);
  }
}

void check_sizes(const SubmitSm& submit) {
  if (submit.short_message.size() > short_message_bytes_max) {
    throw std::invalid_argument("short_message has " + std::to_string(submit.short_message.size()) +
                                " bytes; at most 254 fit, use message_payload");
  }
  if (submit.message_payload && submit.message_payload->size() > std::numeric_limits<std::uint16_t>::max()) {
    throw std::invalid_argument("message_payload has " + std::to_string(submit.message_payload->size()) +
                                " bytes; at most 65535 fit");
  }
}

}  // namespace

void append_header_only(std::string& out, Command command, Status status, std::uint32_t sequence) {
  Writer(out, command, status, sequence).finish();
}

void append_bind(std::string& out, Command command, std::uint32_t sequence, const Bind& bind) {
  Writer writer(out, command, Status::ok, sequence);
  writer.c_string(bind.system_id, system_id_size_max, "system_id");
  writer.c_string(bind.password, password_size_max, "password");
  writer.c_string(bind.system_type, system_type_size_max, "system_type");
  writer.u8(bind.version);
  writer.u8(bind.ton);
  writer.u8(bind.npi);
  writer.c_string(bind.address_range, address_range_size_max, "address_range");
  writer.finish();
}

void append_bind_resp(std::string& out, Command command, Status status, std::uint32_t sequence,
                      std::string_view system_id) {
  Writer writer(out, command, status, sequence);
  if (status == Status::ok) writer.c_string(system_id, system_id_size_max, "system_id");
  writer.finish();
}

void append_submit_sm(std::string& out, std::uint32_t sequence, const SubmitSm& submit) {
  check_sizes(submit);
  Writer writer(out, Command::submit_sm, Status::ok, sequence);
  writer.c_string(submit.service_type, service_type_size_max, "service_type");
  writer.address(submit.source, "source_addr");
  writer.address(submit.destination, "destination_addr");
  writer.u8(submit.esm_class);
  writer.u8(submit.protocol_id);
  writer.u8(submit.priority);
  writer.c_string(submit.schedule_delivery_time, time_size, "schedule_delivery_time");
  writer.c_string(submit.validity_period, time_size, "validity_period");
  writer.u8(submit.registered_delivery);
  writer.u8(submit.replace_if_present);
  writer.u8(submit.data_coding);
  writer.u8(submit.default_message_id);
  writer.u8(static_cast<std::uint8_t>(submit.short_message.size()));
  writer.bytes(submit.short_message);
  write_tlvs(writer, submit);
  writer.finish();
}

void append_submit_sm_resp(std::string& out, Status status, std::uint32_t sequence, std::string_view message_id) {
  Writer writer(out, Command::submit_sm_resp, status, sequence);
  if (status == Status::ok) writer.c_string(message_id, message_id_size_max, "message_id");
  writer.finish();
}

}  // namespace bobbin::smpp
