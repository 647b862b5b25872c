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

// One struct by its field table (bobbin/fields.hpp). Throws InvalidArgument for bytes or tables that do not fit.
Json fields_json(const Schema& schema, const std::string& bytes);
// One message by its encoded nodes (bobbin/capnp.hpp). Throws kj::Exception likewise.
Json capnp_json(const Schema& schema, const std::string& bytes);

std::string hex(std::string_view bytes);
bool is_printable_utf8(std::string_view bytes);

}  // namespace bobbin::inspect
