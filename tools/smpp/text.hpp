// From the octets of one whole message to UTF-8.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bobbin::smpp {

enum class Fidelity {
  exact,     // every octet is represented in the text
  replaced,  // some octets have no meaning in their coding and stand as U+FFFD
  binary,    // the coding is not a text coding; there is no text
};

struct Text {
  Fidelity fidelity = Fidelity::exact;
  std::string utf8;
};

// Decodes by data_coding: 0 GSM 03.38 unpacked (one septet an octet, extension table included), 1 ASCII, 3 Latin-1, 8
// UTF-16 big-endian; all others are binary. Join the parts of a long message first: they may split a surrogate pair or
// an escape.
//
// Nothing is lost if the caller passes the octets on (to_hex) whenever the fidelity is not exact.
Text decode_text(std::uint8_t data_coding, std::string_view octets);

// Lower-case hex digits, two an octet.
std::string to_hex(std::string_view octets);

// Whether the bytes are well-formed UTF-8 (no overlong forms, no surrogates).
bool is_utf8(std::string_view bytes);

}  // namespace bobbin::smpp
