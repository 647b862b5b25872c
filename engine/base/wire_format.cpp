#include <bobbin/error.hpp>
#include <bobbin/wire_format.hpp>

namespace bobbin::wire {

void write_long_varint(std::uint64_t value, std::string& out) {
  char bytes[10];
  std::size_t size = 0;
  for (; value >= 0x80; value >>= 7) bytes[size++] = static_cast<char>(value | 0x80);
  bytes[size++] = static_cast<char>(value);
  out.append(bytes, size);
}

void write_tag(std::uint32_t number, Kind kind, std::string& out) {
  write_varint(std::uint64_t{number} << 2 | static_cast<std::uint64_t>(kind), out);
}

void write_bytes(std::uint32_t number, std::string_view bytes, std::string& out) {
  write_tag(number, Kind::bytes, out);
  write_varint(bytes.size(), out);
  out.append(bytes);
}

std::uint64_t Reader::read_long_varint() {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (rest_.empty()) throw InvalidArgument("a payload ends within a number");
    const auto byte = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    value |= std::uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return value;
  }
  throw InvalidArgument("a payload holds a number of more than 64 bits");
}

void Reader::refuse_tag() { throw InvalidArgument("a payload holds a field of an unknown kind"); }

void Reader::refuse_kind() const {
  throw InvalidArgument("field " + std::to_string(number_) + " of a payload was written with another type");
}

void Reader::refuse_end() const {
  throw InvalidArgument("a payload ends within field " + std::to_string(number_));
}

std::uint64_t Reader::fixed64() {
  expect_kind(Kind::fixed64);
  if (rest_.size() < 8) refuse_end();
  std::uint64_t value = 0;
  for (unsigned i = 0; i < 8; ++i) value |= std::uint64_t{static_cast<std::uint8_t>(rest_[i])} << (8 * i);
  rest_.remove_prefix(8);
  return value;
}

void Reader::skip() {
  switch (kind_) {
    case Kind::varint:
      read_varint();
      return;
    case Kind::fixed64:
      fixed64();
      return;
    case Kind::bytes:
      bytes();
      return;
  }
}

}  // namespace bobbin::wire
