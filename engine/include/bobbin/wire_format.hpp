// The bytes of a plain struct: a sequence of fields, each a tag (varint: number * 4 + kind) and a value.
// Kinds: 0 varint (unsigned, or zigzag for signed), 1 eight bytes little-endian, 2 varint length and bytes.
// A list is its field repeated. storage/README.md describes it for other readers.
#pragma once

#include <bobbin/types.hpp>

#include <bit>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace bobbin::wire {

enum class Kind : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2 };

void write_long_varint(std::uint64_t value, std::string& out);
inline void write_varint(std::uint64_t value, std::string& out) {
  if (value < 0x80)
    out.push_back(static_cast<char>(value));
  else
    write_long_varint(value, out);
}
void write_tag(std::uint32_t number, Kind kind, std::string& out);
void write_bytes(std::uint32_t number, std::string_view bytes, std::string& out);

constexpr std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
constexpr std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

// Walks the fields of one struct. Throws InvalidArgument for bytes that are no such sequence; never reads outside.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  bool next() {  // moves to the next field's value; false at the end
    if (rest_.empty()) return false;
    const auto tag = read_varint();
    if ((tag & 3) > 2 || tag >> 30 != 0) refuse_tag();
    number_ = static_cast<std::uint32_t>(tag >> 2);
    kind_ = static_cast<Kind>(tag & 3);
    return true;
  }
  std::uint32_t number() const { return number_; }
  Kind kind() const { return kind_; }

  // The value, of the kind that the tag says; exactly one of these, or skip(), follows a next().
  std::uint64_t varint() {
    expect_kind(Kind::varint);
    return read_varint();
  }
  std::uint64_t fixed64();
  std::string_view bytes() {
    expect_kind(Kind::bytes);
    const auto size = read_varint();
    if (size > rest_.size()) refuse_end();
    const auto value = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return value;
  }
  void skip();

 private:
  std::uint64_t read_varint() {
    if (rest_.empty() || static_cast<std::uint8_t>(rest_.front()) >= 0x80) return read_long_varint();
    const auto value = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return value;
  }
  std::uint64_t read_long_varint();
  void expect_kind(Kind kind) const {
    if (kind_ != kind) refuse_kind();
  }
  [[noreturn]] static void refuse_tag();
  [[noreturn]] void refuse_kind() const;
  [[noreturn]] void refuse_end() const;

  std::string_view rest_;
  std::uint32_t number_ = 0;
  Kind kind_ = Kind::varint;
};

template <class T>
inline constexpr bool is_time_v = std::is_same_v<T, LogTime> || std::is_same_v<T, Duration>;

template <class T>
void write_scalar(std::uint32_t number, const T& value, std::string& out) {
  if constexpr (std::is_same_v<T, std::string>) {
    write_bytes(number, value, out);
  } else if constexpr (std::is_same_v<T, double>) {
    write_tag(number, Kind::fixed64, out);
    const auto bits = std::bit_cast<std::uint64_t>(value);
    char bytes[sizeof bits];
    for (std::size_t i = 0; i < sizeof bits; ++i) bytes[i] = static_cast<char>(bits >> (8 * i));
    out.append(bytes, sizeof bytes);
  } else {
    write_tag(number, Kind::varint, out);
    if constexpr (std::is_same_v<T, LogTime>)
      write_varint(zigzag(value.time_since_epoch().count()), out);
    else if constexpr (std::is_same_v<T, Duration>)
      write_varint(zigzag(value.count()), out);
    else if constexpr (std::is_signed_v<T> && !std::is_enum_v<T>)
      write_varint(zigzag(value), out);
    else
      write_varint(static_cast<std::uint64_t>(value), out);
  }
}

template <class T>
void read_scalar(Reader& reader, T& value) {
  if constexpr (std::is_same_v<T, std::string>)
    value = std::string(reader.bytes());
  else if constexpr (std::is_same_v<T, double>)
    value = std::bit_cast<double>(reader.fixed64());
  else if constexpr (std::is_same_v<T, LogTime>)
    value = LogTime(Duration(unzigzag(reader.varint())));
  else if constexpr (std::is_same_v<T, Duration>)
    value = Duration(unzigzag(reader.varint()));
  else if constexpr (std::is_signed_v<T> && !std::is_enum_v<T>)
    value = static_cast<T>(unzigzag(reader.varint()));
  else
    value = static_cast<T>(reader.varint());
}

// The type's word in field tables.
template <class T>
const char* scalar_name() {
  if constexpr (std::is_same_v<T, std::string>)
    return "string";
  else if constexpr (std::is_same_v<T, double>)
    return "double";
  else if constexpr (std::is_same_v<T, LogTime>)
    return "time_us";
  else if constexpr (std::is_same_v<T, Duration>)
    return "duration_us";
  else if constexpr (std::is_same_v<T, bool>)
    return "bool";
  else if constexpr (std::is_signed_v<T> && !std::is_enum_v<T>)
    return "int";
  else {
    static_assert(std::is_unsigned_v<T> || std::is_enum_v<T>, "no such field type: see fields.hpp");
    return "uint";
  }
}

}  // namespace bobbin::wire
