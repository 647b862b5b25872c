// Plain structs as payloads. Name the type once and number its fields; then fields may be added, and reading skips
// numbers it does not know and leaves absent ones as the struct's initialisers set them:
//
//   template <> struct bobbin::Fields<Sms> {
//     static constexpr auto name = "gateway.Sms";
//     static constexpr auto fields = std::tuple(field<1>("text", &Sms::text), field<2>("part", &Sms::part));
//   };
//
// Never reuse a number or change a field's type. Field types: bool, integers, enums, double, std::string, LogTime,
// Duration, structs with Fields, and std::optional or std::vector of these.
// Encoding: tag/value pairs (wire_format.hpp); the field table is stored in the log once, for tools.
#pragma once

#include <bobbin/codec.hpp>
#include <bobbin/wire_format.hpp>

#include <cstdint>
#include <set>
#include <string>
#include <tuple>
#include <type_traits>

namespace bobbin {

template <class T>
struct Fields;

template <class T>
concept HasFields = requires {
  Fields<T>::name;
  Fields<T>::fields;
};

template <class Struct, class Member>
struct Field {
  std::uint32_t number;
  const char* name;
  Member Struct::*member;
};

template <std::uint32_t Number, class Struct, class Member>
constexpr Field<Struct, Member> field(const char* name, Member Struct::*member) {
  static_assert(Number >= 1 && Number < (1u << 28), "field numbers are 1 to 2^28-1");
  return {Number, name, member};
}

namespace wire {

template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};
template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};

template <class T>
void write_struct(const T& value, std::string& out);
template <class T>
void read_struct(std::string_view bytes, T& value);

template <class T>
void write_field(std::uint32_t number, const T& value, std::string& out) {
  if constexpr (IsVector<T>::value) {
    for (const auto& element : value) write_field(number, element, out);
  } else if constexpr (IsOptional<T>::value) {
    if (value) write_field(number, *value, out);
  } else if constexpr (HasFields<T>) {
    std::string nested;
    write_struct(value, nested);
    write_bytes(number, nested, out);
  } else {
    write_scalar(number, value, out);
  }
}

// About what a value takes, and seldom less: so that its bytes are allocated once.
template <class T>
std::size_t estimated_bytes(const T& value) {
  constexpr std::size_t tag_and_length = 4;
  if constexpr (IsVector<T>::value || IsOptional<T>::value) {
    std::size_t bytes = 0;
    if constexpr (IsVector<T>::value)
      for (const auto& element : value) bytes += estimated_bytes(element);
    else if (value)
      bytes = estimated_bytes(*value);
    return bytes;
  } else if constexpr (HasFields<T>) {
    return std::apply(
        [&](const auto&... field) { return (tag_and_length + ... + estimated_bytes(value.*field.member)); },
        Fields<T>::fields);
  } else if constexpr (std::is_same_v<T, std::string>) {
    return tag_and_length + value.size();
  } else {
    return tag_and_length + sizeof value;
  }
}

template <class T>
void read_field(Reader& reader, T& value) {
  if constexpr (IsVector<T>::value) {
    read_field(reader, value.emplace_back());
  } else if constexpr (IsOptional<T>::value) {
    read_field(reader, value.emplace());
  } else if constexpr (HasFields<T>) {
    read_struct(reader.bytes(), value);
  } else {
    read_scalar(reader, value);
  }
}

template <class T>
void write_struct(const T& value, std::string& out) {
  std::apply([&](const auto&... field) { (write_field(field.number, value.*field.member, out), ...); },
             Fields<T>::fields);
}

template <class T>
void read_struct(std::string_view bytes, T& value) {
  Reader reader(bytes);
  while (reader.next()) {
    const auto matches = [&](const auto& field) {
      if (field.number != reader.number()) return false;
      read_field(reader, value.*field.member);
      return true;
    };
    const bool known = std::apply([&](const auto&... field) { return (matches(field) || ...); }, Fields<T>::fields);
    if (!known) reader.skip();
  }
}

template <class T>
void describe_struct(std::string& text, std::set<std::string>& seen);

template <class T>
std::string describe_type(std::string& nested, std::set<std::string>& seen) {
  if constexpr (IsVector<T>::value) {
    return "list " + describe_type<typename T::value_type>(nested, seen);
  } else if constexpr (IsOptional<T>::value) {
    return describe_type<typename T::value_type>(nested, seen);
  } else if constexpr (HasFields<T>) {
    describe_struct<T>(nested, seen);
    return Fields<T>::name;
  } else {
    return scalar_name<T>();
  }
}

// "struct NAME" and a line "NUMBER FIELD TYPE" for each field, then the structs it uses.
template <class T>
void describe_struct(std::string& text, std::set<std::string>& seen) {
  if (!seen.insert(Fields<T>::name).second) return;
  std::string nested;
  text += std::string("struct ") + Fields<T>::name + "\n";
  const auto line = [&]<class Member>(const Field<T, Member>& field) {
    text += std::to_string(field.number) + " " + field.name + " " + describe_type<Member>(nested, seen) + "\n";
  };
  std::apply([&](const auto&... field) { (line(field), ...); }, Fields<T>::fields);
  text += nested;
}

}  // namespace wire

template <HasFields T>
struct Codec<T> {
  static const Schema& schema() {
    static const Schema schema = [] {
      std::string text;
      std::set<std::string> seen;
      wire::describe_struct<T>(text, seen);
      return make_schema(CodecId::fields, type_id_of(Fields<T>::name), Fields<T>::name, text);
    }();
    return schema;
  }
  static Payload encode(const T& value) {
    Payload payload{CodecId::fields, schema().type_id, schema().hash, {}, &schema()};
    payload.bytes.reserve(wire::estimated_bytes(value));
    wire::write_struct(value, payload.bytes);
    return payload;
  }
  static T decode(const Payload& payload) {
    expect_codec(payload, CodecId::fields, schema().type_id, Fields<T>::name);
    T value{};
    wire::read_struct(payload.bytes, value);
    return value;
  }
};

}  // namespace bobbin
