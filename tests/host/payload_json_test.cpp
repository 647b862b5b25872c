// Payloads as JSON, whatever they and their schema hold.
#include "tools/inspect/payload_json.hpp"

#include "tests/host/order.capnp.h"
#include "tests/support/one_schema.hpp"
#include "tools/inspect/time_text.hpp"

#include <bobbin/capnp.hpp>
#include <bobbin/wire_format.hpp>

#include <doctest/doctest.h>

using namespace bobbin;
using namespace bobbin::inspect;

namespace {

Json shown(const Schema& schema, std::string bytes) {
  testing::OneSchema snapshot(schema);
  PayloadDecoder decoder(snapshot);
  auto json = decoder.decode(
      std::make_shared<const Payload>(Payload{schema.codec, schema.type_id, schema.hash, std::move(bytes)}));
  CHECK_NOTHROW(json.dump());
  return json;
}

Schema field_table(const std::string& text) { return make_schema(CodecId::fields, 1, "A", text); }

std::string field_bytes(std::string_view value, std::uint32_t number = 1) {
  std::string bytes;
  wire::write_bytes(number, value, bytes);
  return bytes;
}

bool undecoded(const Json& json, const std::string& reason) {
  CAPTURE(json.dump());
  return json.contains("undecoded") && json["reason"].is_string() &&
         json["reason"].get<std::string>().find(reason) != std::string::npos;
}

}  // namespace

TEST_CASE("Cap'n Proto text that is not UTF-8 is shown as undecoded bytes") {
  const Capnp<Order> order([](Order::Builder builder) { builder.initItems(1)[0].setArticle("caf\xe9"); });
  const auto& schema = Codec<Capnp<Order>>::schema();
  CHECK(undecoded(shown(schema, order.bytes()), "UTF-8"));
}

TEST_CASE("a Cap'n Proto payload that claims more than it holds is not expanded") {
  // A struct of one pointer, and there a list of Void where the items belong: a million of them, in no bytes.
  const std::uint64_t words[] = {std::uint64_t{1} << 48, 1 | (std::uint64_t{1'000'000} << 35)};
  const std::string bytes(reinterpret_cast<const char*>(words), sizeof words);
  CHECK(shown(Codec<Capnp<Order>>::schema(), bytes).contains("undecoded"));
}

TEST_CASE("a Cap'n Proto schema with any byte changed gives JSON, decoded or not") {
  const Capnp<Order> order([](Order::Builder builder) { builder.setNumber(7); });
  const auto& schema = Codec<Capnp<Order>>::schema();
  for (std::size_t i = 0; i < schema.text.size(); ++i) {
    for (const int mask : {1, 0x40, 0xFF}) {
      auto changed = schema;
      changed.text[i] = static_cast<char>(changed.text[i] ^ mask);
      shown(changed, order.bytes());
    }
  }
}

TEST_CASE("a field table that is none is named in a reason that can be printed") {
  CHECK(undecoded(shown(field_table("struct A\nx"), {}), "field table"));
  CHECK(shown(field_table("struct A\n\xff\xfe"), {})["reason"].contains("hex"));
  CHECK(undecoded(shown(field_table("struct A\n1 \xff string\n"), field_bytes("a")), "name"));
}

TEST_CASE("a list and a single field of one name are refused, not merged") {
  const auto bytes = field_bytes("a", 1) + field_bytes("b", 2);
  CHECK(undecoded(shown(field_table("struct A\n1 x string\n2 x list string\n"), bytes), "twice"));
  CHECK(shown(field_table("struct A\n1 x string\n2 y list string\n"), bytes).dump() == R"({"x":"a","y":["b"]})");
}

TEST_CASE("structs within structs are shown to a depth that the stack bears") {
  const auto nested = [](int depth) {
    std::string bytes;
    for (; depth > 0; --depth) bytes = field_bytes(bytes);
    return shown(field_table("struct A\n1 inner A\n"), bytes);
  };
  CHECK(nested(3).dump() == R"({"inner":{"inner":{"inner":{}}}})");
  CHECK(undecoded(nested(5'000), "deep"));
}

TEST_CASE("times at both ends of what the log can hold have a text") {
  CHECK(time_text(LogTime(Duration(-1))) == "1969-12-31T23:59:59.999999Z");
  CHECK(time_text(LogTime(Duration(1'500'000))) == "1970-01-01T00:00:01.500000Z");
  CHECK(time_text(LogTime(Duration::max())) == "294247-01-10T04:00:54.775807Z");
  CHECK(time_text(LogTime(Duration::min())) == "-290308-12-21T19:59:05.224192Z");
}
