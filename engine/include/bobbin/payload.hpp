// Payloads: bytes that say how to read them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace bobbin {

// How a payload's bytes are encoded. Stands in the log: numbers are only ever added.
enum class CodecId : std::uint16_t {
  none = 0,    // no value
  bytes = 1,   // a byte string as it is
  fields = 2,  // a plain struct by field numbers (fields.hpp)
  capnp = 3,   // a canonical Cap'n Proto message (capnp.hpp)
};

struct Schema;

// An owned copy of a value's bytes. Never points into the log's memory map.
struct Payload {
  CodecId codec = CodecId::none;
  std::uint64_t type_id = 0;      // of the value's type; 0 for byte strings
  std::uint64_t schema_hash = 0;  // of the schema record that describes it; 0 if none
  std::string bytes;
  const Schema* schema = nullptr;  // set by the codec that encoded the value here; not stored with the payload

  bool operator==(const Payload& other) const {
    return codec == other.codec && type_id == other.type_id && schema_hash == other.schema_hash && bytes == other.bytes;
  }
};

// Shared because a record being written and a waiting fiber hold the same immutable value. Null means "no value".
using PayloadPtr = std::shared_ptr<const Payload>;

// Describes how to read payloads of one type, stored once in the log so that tools need nothing else.
struct Schema {
  std::uint64_t hash = 0;  // of all that follows; the key under which the log keeps it
  CodecId codec = CodecId::none;
  std::uint64_t type_id = 0;
  std::string name;  // the type's name, for people
  std::string text;  // codec-specific description: a field table, or an encoded schema

  bool operator==(const Schema&) const = default;
};

}  // namespace bobbin
