// Payloads of any type as JSON, by the schemas that the log holds.
#pragma once

#include <bobbin/payload.hpp>
#include <bobbin/store.hpp>

#include <nlohmann/json.hpp>

#include <map>
#include <optional>

namespace bobbin::inspect {

using Json = nlohmann::ordered_json;

class PayloadDecoder {
 public:
  // Reads schemas from the snapshot, which must outlive it.
  explicit PayloadDecoder(Snapshot& snapshot) : snapshot_(snapshot) {}

  // Never throws for what the bytes hold: what cannot be decoded comes as {"undecoded": hex, "reason": ...}.
  Json decode(const PayloadPtr& payload);

 private:
  const Schema& schema(std::uint64_t hash);

  Snapshot& snapshot_;
  std::map<std::uint64_t, Schema> schemas_;
};

// One struct by its field table (bobbin/fields.hpp). Throws InvalidArgument for bytes or tables that do not fit, and
// for structs nested too deep.
Json fields_json(const Schema& schema, const std::string& bytes);
// One message by its encoded nodes (bobbin/capnp.hpp). Throws kj::Exception or Json::exception likewise.
Json capnp_json(const Schema& schema, const std::string& bytes);

// As it is printed. Names and messages of a log may be any bytes: those that are no UTF-8 stand as U+FFFD.
std::string json_text(const Json& json, int indent = -1);

std::string hex(std::string_view bytes);
bool is_printable_utf8(std::string_view bytes);

}  // namespace bobbin::inspect
