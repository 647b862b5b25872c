// A cursor over bytes from a peer. It never leaves them: a read past the end or of a malformed field gives an empty
// value and makes the reader fail for good, so that a caller checks once, at the end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace bobbin::smpp {

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  bool failed() const { return failed_; }
  std::size_t remaining() const { return bytes_.size(); }

  std::string_view bytes(std::size_t count) {
    if (failed_ || count > bytes_.size()) return fail();
    const std::string_view taken = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return taken;
  }

  std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
  std::uint32_t u32() { return number(4); }

  // A string that ends with NUL within its first `size_max` bytes; the NUL is taken and not returned.
  std::string_view c_string(std::size_t size_max) {
    const std::size_t end = bytes_.substr(0, size_max).find('\0');
    if (failed_ || end == std::string_view::npos) return fail();
    const std::string_view taken = bytes_.substr(0, end);
    bytes_.remove_prefix(end + 1);
    return taken;
  }

 private:
  std::uint32_t number(std::size_t size) {
    std::uint32_t value = 0;
    for (const char byte : bytes(size)) value = value << 8 | static_cast<std::uint8_t>(byte);
    return value;
  }

  std::string_view fail() {
    failed_ = true;
    bytes_ = {};
    return {};
  }

  std::string_view bytes_;
  bool failed_ = false;
};

}  // namespace bobbin::smpp
