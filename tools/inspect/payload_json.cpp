#include "tools/inspect/payload_json.hpp"

#include <bobbin/error.hpp>

#include <kj/exception.h>

namespace bobbin::inspect {

std::string hex(std::string_view bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : bytes) {
    text.push_back(digits[byte >> 4]);
    text.push_back(digits[byte & 15]);
  }
  return text;
}

bool is_printable_utf8(std::string_view bytes) {
  for (const unsigned char byte : bytes)
    if (byte < 0x20 && byte != '\n' && byte != '\t') return false;
  try {
    nlohmann::json(bytes).dump();
    return true;
  } catch (const nlohmann::json::exception&) {
    return false;
  }
}

std::string json_text(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

namespace {

Json bytes_json(const std::string& bytes) { return is_printable_utf8(bytes) ? Json(bytes) : Json{{"hex", hex(bytes)}}; }

// A reason may quote the schema.
Json undecoded(const Payload& payload, const std::string& reason) {
  return {{"undecoded", hex(payload.bytes)}, {"reason", bytes_json(reason)}};
}

}  // namespace

const Schema& PayloadDecoder::schema(std::uint64_t hash) {
  const auto known = schemas_.find(hash);
  if (known != schemas_.end()) return known->second;
  auto schema = snapshot_.schema(hash);
  if (!schema) throw NotFound("the log holds no schema for it");
  return schemas_.emplace(hash, std::move(*schema)).first->second;
}

Json PayloadDecoder::decode(const PayloadPtr& payload) {
  if (!payload) return nullptr;
  try {
    switch (payload->codec) {
      case CodecId::none:
        return nullptr;
      case CodecId::bytes:
        return bytes_json(payload->bytes);
      case CodecId::fields:
        return fields_json(schema(payload->schema_hash), payload->bytes);
      case CodecId::capnp:
        return capnp_json(schema(payload->schema_hash), payload->bytes);
    }
    return undecoded(*payload, "codec " + std::to_string(static_cast<unsigned>(payload->codec)) + " is not known");
  } catch (const Error& error) {
    return undecoded(*payload, error.what());
  } catch (const kj::Exception& error) {
    return undecoded(*payload, error.getDescription().cStr());
  } catch (const Json::exception&) {
    return undecoded(*payload, "it holds text that is not UTF-8");
  }
}

}  // namespace bobbin::inspect
