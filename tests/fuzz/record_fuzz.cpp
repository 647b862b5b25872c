// Bodies of records and rows, behind a checksum that holds: decoded, or refused as corrupt or of another format; and
// what has been decoded is encoded and decoded to the same value.
#include "storage/codec/codec.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/support/show.hpp"

#include <bobbin/error.hpp>

#include <iterator>

using namespace bobbin;
using namespace bobbin::storage;
using bobbin::fuzz::Aligned;
using bobbin::fuzz::require;

namespace {

std::string body_of(Encoder::Buffer buffer) {
  return std::string(reinterpret_cast<const char*>(buffer.data()), buffer.size()).substr(Encoder::headroom);
}

// The value of `body`, or nothing if it is refused.
template <class Decode>
auto decoded(std::string_view body, const Decode& decode) -> std::optional<decltype(decode(body))> {
  try {
    return decode(body);
  } catch (const Error& error) {
    require(error.code() == ErrorCode::corrupt || error.code() == ErrorCode::unsupported_format,
            "bytes are refused as corrupt or of another format");
    return std::nullopt;
  }
}

template <class Decode, class Encode>
auto check_value(std::string_view body, const Decode& decode, const Encode& encode) {
  const auto value = decoded(body, decode);
  if (!value) return value;
  const Aligned once(body_of(encode(*value)));
  const auto again = decode(once.view());
  require(body_of(encode(again)) == once.view(), "encoding what was decoded gives the same bytes");
  return value;
}

void check_record(std::string_view body, Lsn lsn) {
  Encoder encoder;
  const auto decode = [lsn](std::string_view bytes) { return decode_record(bytes, lsn, Label("record", lsn)); };
  const auto record = check_value(body, decode, [&](const Record& value) { return encoder.encode(value); });
  decoded(body, [lsn](std::string_view bytes) { return decode_record_head(bytes, lsn, "record"); });
  if (!record) return;
  const auto head = decode_record_head(body, lsn, "record");
  require(head.run == record->run && head.instance == record->instance && head.elapsed == record->elapsed,
          "a record and its head agree");
  const Aligned once(body_of(encoder.encode(*record)));
  require(testing::show(decode(once.view())) == testing::show(*record), "a record comes back as it was");
}

void check_instance(std::string_view body) {
  Encoder encoder;
  const auto decode = [](std::string_view bytes) { return decode_instance(bytes, "row"); };
  const auto row =
      check_value(body, decode, [&](const InstanceRow& value) { return encoder.encode(value.state, value.due); });
  decoded(body, [](std::string_view bytes) { return decode_instance_head(bytes, "row"); });
  decoded(body, [](std::string_view bytes) { return decode_instance_due(bytes, "row"); });
  if (!row) return;
  const auto head = decode_instance_head(body, "row");
  require(head.lsn == row->state.lsn && head.run == row->state.run &&
              head.live == (row->state.status == RunStatus::running) &&
              head.unread_sources.size() == row->state.unread.size(),
          "a row and its head agree");
  require(decode_instance_due(body, "row") == row->due, "a row and its due time agree");
}

template <class Value>
void check_row(std::string_view body, Value (*decode)(std::string_view, const Label&)) {
  Encoder encoder;
  check_value(
      body, [decode](std::string_view bytes) { return decode(bytes, "row"); },
      [&](const Value& value) { return encoder.encode(value); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const auto kind = input.number<std::uint8_t>();
  const Aligned body(input.rest());
  switch (kind % 7) {
    case 0:
      check_record(body.view(), 1000);
      break;
    case 1:
      check_instance(body.view());
      break;
    case 2:
      check_row(body.view(), decode_ledger);
      break;
    case 3:
      check_row(body.view(), decode_dead_letter);
      break;
    case 4:
      check_row(body.view(), decode_schema);
      break;
    case 5:
      check_row(body.view(), decode_log_state);
      break;
    default:
      check_row(body.view(), decode_dedup_run);
  }
  return 0;
}
