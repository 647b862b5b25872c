#include "storage/codec/wire.hpp"

#include <cstring>

namespace bobbin::storage::wire {

IdWords words_of(const Id128& id) {
  IdWords words;
  std::memcpy(&words.low, id.bytes.data(), 8);
  std::memcpy(&words.high, id.bytes.data() + 8, 8);
  return words;
}

Id128 id_of(std::uint64_t low, std::uint64_t high) {
  Id128 id;
  std::memcpy(id.bytes.data(), &low, 8);
  std::memcpy(id.bytes.data() + 8, &high, 8);
  return id;
}

void unknown_number(const char* what, std::uint64_t number) {
  throw UnsupportedFormat("it holds a " + std::string(what) + " with number " + std::to_string(number) +
                          ", which this version does not know; use the Bobbin that wrote it, or a newer one");
}

InstanceName instance_name(capnp::Data::Reader orchestrator, capnp::Data::Reader key) {
  const auto check = [](std::size_t size, std::size_t max, const char* what) {
    if (size == 0 || size > max)
      throw Impossible{std::string(what) + " has " + std::to_string(size) + " bytes, not 1 to " + std::to_string(max)};
  };
  check(orchestrator.size(), name_bytes_max, "an orchestrator's name");
  check(key.size(), key_bytes_max, "a key");
  return {text(orchestrator), text(key)};
}

void put(format::Payload::Builder out, const Payload& payload) {
  out.setTypeId(payload.type_id);
  out.setSchemaHash(payload.schema_hash);
  out.setCodec(number_of(payload.codec));
  if (!payload.bytes.empty()) out.setBytes(data(payload.bytes));
}

Payload get(format::Payload::Reader in) {
  return {checked(in.getCodec(), CodecId::none, CodecId::capnp, "payload codec"), in.getTypeId(), in.getSchemaHash(),
          text(in.getBytes())};
}

void put(format::Failure::Builder out, const ErrorInfo& error) {
  out.setCode(number_of(error.code));
  out.setNonRetryable(error.non_retryable);
  if (!error.type.empty()) out.setType(data(error.type));
  if (!error.message.empty()) out.setMessage(data(error.message));
}

ErrorInfo get(format::Failure::Reader in) {
  return {checked(in.getCode(), ErrorCode::none, ErrorCode::terminated, "error code"), text(in.getType()),
          text(in.getMessage()), in.getNonRetryable()};
}

ErrorInfo get_failure(format::Failure::Reader in) {
  auto error = get(in);
  if (!error) throw Impossible{"a failure has no code"};
  return error;
}

void put(format::Position::Builder out, Position position) {
  out.setLsn(position.lsn);
  out.setIndex(position.index);
}

Position get(format::Position::Reader in) { return {in.getLsn(), in.getIndex()}; }

void put(format::Event::Builder out, const Event& event) {
  out.setLsn(event.position.lsn);
  out.setIndex(event.position.index);
  out.setAcceptedAt(ticks(event.accepted_at));
  out.setCarryCount(event.carry_count);
  out.setWithStart(event.with_start);
  if (!event.name.empty()) out.setName(data(event.name));
  if (event.value) put(out.initValue(), *event.value);
  if (!event.dedup_id.empty()) out.setDedupId(data(event.dedup_id));
  if (event.start_input) put(out.initStartInput(), *event.start_input);
}

Event get(format::Event::Reader in) {
  Event event;
  event.name = text(in.getName());
  if (in.hasValue()) event.value = std::make_shared<const Payload>(get(in.getValue()));
  event.dedup_id = text(in.getDedupId());
  event.position = {in.getLsn(), in.getIndex()};
  event.accepted_at = log_time(in.getAcceptedAt());
  event.carry_count = in.getCarryCount();
  event.with_start = in.getWithStart();
  if (in.hasStartInput()) event.start_input = std::make_shared<const Payload>(get(in.getStartInput()));
  return event;
}

void put(format::Schema::Builder out, const Schema& schema) {
  out.setHash(schema.hash);
  out.setTypeId(schema.type_id);
  out.setCodec(number_of(schema.codec));
  if (!schema.name.empty()) out.setName(data(schema.name));
  if (!schema.text.empty()) out.setText(data(schema.text));
}

Schema get(format::Schema::Reader in) {
  return {in.getHash(), checked(in.getCodec(), CodecId::none, CodecId::capnp, "payload codec"), in.getTypeId(),
          text(in.getName()), text(in.getText())};
}

}  // namespace bobbin::storage::wire
