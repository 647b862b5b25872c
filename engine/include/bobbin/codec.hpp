// From typed values to payloads and back. Specialise Codec<T> to add a kind of type; fields.hpp covers plain structs
// and capnp.hpp Cap'n Proto structs, so hosts seldom need to.
#pragma once

#include <bobbin/error.hpp>
#include <bobbin/payload.hpp>

#include <memory>
#include <string>
#include <utility>

namespace bobbin {

template <class T>
struct Codec;  // static Payload encode(const T&); static T decode(const Payload&);

// "No value": the input or result of what needs none.
struct Nothing {
  bool operator==(const Nothing&) const = default;
};

template <>
struct Codec<Nothing> {
  static Payload encode(const Nothing&) { return {}; }
  static Nothing decode(const Payload&) { return {}; }
};

// Throws InvalidArgument when the payload was encoded by another codec or for another type.
void expect_codec(const Payload& payload, CodecId codec, std::uint64_t type_id, const char* type_name);

// Byte strings are kept as they are.
template <>
struct Codec<std::string> {
  static Payload encode(std::string value) { return {CodecId::bytes, 0, 0, std::move(value)}; }
  static std::string decode(const Payload& payload) {
    expect_codec(payload, CodecId::bytes, 0, "a byte string");
    return payload.bytes;
  }
};

template <class T>
PayloadPtr encode(const T& value) {
  return std::make_shared<const Payload>(Codec<T>::encode(value));
}

// Null decodes like "no value". Throws InvalidArgument when the payload is of another type or malformed.
template <class T>
T decode(const PayloadPtr& payload) {
  return Codec<T>::decode(payload ? *payload : Payload{});
}

// A schema whose hash covers codec, type id, name and text.
Schema make_schema(CodecId codec, std::uint64_t type_id, std::string name, std::string text);
// A type's number for ever: the first 64 bits of the BLAKE2b hash of its name.
std::uint64_t type_id_of(const std::string& name);

}  // namespace bobbin
