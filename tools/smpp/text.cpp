#include "tools/smpp/text.hpp"

#include "tools/smpp/constants.hpp"

#include <array>

namespace bobbin::smpp {
namespace {

constexpr char32_t replacement = 0xFFFD;
constexpr std::uint8_t escape = 0x1B;

// GSM 03.38 default alphabet; the escape's own place is never looked up.
constexpr std::array<char16_t, 128> gsm_alphabet = {
    u'@', u'£',  u'$', u'¥', u'è', u'é', u'ù', u'ì', u'ò', u'Ç', u'\n', u'Ø', u'ø', u'\r', u'Å', u'å', u'Δ', u'_', u'Φ',
    u'Γ', u'Λ',  u'Ω', u'Π', u'Ψ', u'Σ', u'Θ', u'Ξ', 0,    u'Æ', u'æ',  u'ß', u'É', u' ',  u'!', u'"', u'#', u'¤', u'%',
    u'&', u'\'', u'(', u')', u'*', u'+', u',', u'-', u'.', u'/', u'0',  u'1', u'2', u'3',  u'4', u'5', u'6', u'7', u'8',
    u'9', u':',  u';', u'<', u'=', u'>', u'?', u'¡', u'A', u'B', u'C',  u'D', u'E', u'F',  u'G', u'H', u'I', u'J', u'K',
    u'L', u'M',  u'N', u'O', u'P', u'Q', u'R', u'S', u'T', u'U', u'V',  u'W', u'X', u'Y',  u'Z', u'Ä', u'Ö', u'Ñ', u'Ü',
    u'§', u'¿',  u'a', u'b', u'c', u'd', u'e', u'f', u'g', u'h', u'i',  u'j', u'k', u'l',  u'm', u'n', u'o', u'p', u'q',
    u'r', u's',  u't', u'u', u'v', u'w', u'x', u'y', u'z', u'ä', u'ö',  u'ñ', u'ü', u'à',
};

char32_t gsm_extension(std::uint8_t septet) {
  switch (septet) {
    case 0x0A:
      return U'\f';
    case 0x14:
      return U'^';
    case 0x28:
      return U'{';
    case 0x29:
      return U'}';
    case 0x2F:
      return U'\\';
    case 0x3C:
      return U'[';
    case 0x3D:
      return U'~';
    case 0x3E:
      return U']';
    case 0x40:
      return U'|';
    case 0x65:
      return U'€';
    default:
      return replacement;
  }
}

void append_utf8(std::string& out, char32_t code) {
  const auto push = [&out](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) return push(code);
  if (code < 0x800) {
    push(0xC0 | code >> 6);
  } else {
    if (code < 0x10000) {
      push(0xE0 | code >> 12);
    } else {
      push(0xF0 | code >> 18);
      push(0x80 | (code >> 12 & 0x3F));
    }
    push(0x80 | (code >> 6 & 0x3F));
  }
  push(0x80 | (code & 0x3F));
}

std::uint8_t octet(std::string_view octets, std::size_t at) { return static_cast<std::uint8_t>(octets[at]); }

// Takes one character (one or more octets from `at`) and moves `at` behind it.
char32_t take_gsm(std::string_view octets, std::size_t& at) {
  const std::uint8_t septet = octet(octets, at++);
  if (septet >= gsm_alphabet.size()) return replacement;
  if (septet != escape) return gsm_alphabet[septet];
  return at < octets.size() ? gsm_extension(octet(octets, at++)) : replacement;
}

char32_t take_ascii(std::string_view octets, std::size_t& at) {
  const std::uint8_t value = octet(octets, at++);
  return value < 0x80 ? value : replacement;
}

char32_t take_latin1(std::string_view octets, std::size_t& at) { return octet(octets, at++); }

bool is_high_surrogate(char32_t unit) { return unit >= 0xD800 && unit < 0xDC00; }
bool is_low_surrogate(char32_t unit) { return unit >= 0xDC00 && unit < 0xE000; }

char32_t unit_at(std::string_view octets, std::size_t at) {
  return static_cast<char32_t>(octet(octets, at) << 8 | octet(octets, at + 1));
}

char32_t take_utf16(std::string_view octets, std::size_t& at) {
  if (octets.size() - at < 2) {
    at = octets.size();
    return replacement;
  }
  const char32_t unit = unit_at(octets, at);
  at += 2;
  if (is_low_surrogate(unit)) return replacement;
  if (!is_high_surrogate(unit)) return unit;
  if (octets.size() - at < 2 || !is_low_surrogate(unit_at(octets, at))) return replacement;
  const char32_t low = unit_at(octets, at);
  at += 2;
  return 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
}

template <typename Take>
Text decode_with(std::string_view octets, Take take) {
  Text text;
  text.utf8.reserve(octets.size());
  for (std::size_t at = 0; at < octets.size();) {
    const char32_t code = take(octets, at);
    // A U+FFFD that the sender wrote counts as replaced too: harmless, the octets then travel along.
    if (code == replacement) text.fidelity = Fidelity::replaced;
    append_utf8(text.utf8, code);
  }
  return text;
}

// How many continuation bytes follow the first byte, and the smallest code that may need them.
struct Lead {
  int continuation = -1;
  char32_t bits = 0;
  char32_t smallest = 0;
};

Lead lead_of(std::uint8_t byte) {
  if (byte < 0x80) return {0, byte, 0};
  if (byte >> 5 == 0x06) return {1, byte & 0x1FU, 0x80};
  if (byte >> 4 == 0x0E) return {2, byte & 0x0FU, 0x800};
  if (byte >> 3 == 0x1E) return {3, byte & 0x07U, 0x10000};
  return {};
}

}  // namespace

Text decode_text(std::uint8_t data_coding, std::string_view octets) {
  switch (data_coding) {
    case coding::gsm:
      return decode_with(octets, take_gsm);
    case coding::ascii:
      return decode_with(octets, take_ascii);
    case coding::latin1:
      return decode_with(octets, take_latin1);
    case coding::ucs2:
      return decode_with(octets, take_utf16);
    default:
      return {Fidelity::binary, {}};
  }
}

std::string to_hex(std::string_view octets) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  hex.reserve(2 * octets.size());
  for (std::size_t at = 0; at < octets.size(); ++at) {
    hex.push_back(digits[octet(octets, at) >> 4]);
    hex.push_back(digits[octet(octets, at) & 0x0F]);
  }
  return hex;
}

bool is_utf8(std::string_view bytes) {
  for (std::size_t at = 0; at < bytes.size();) {
    Lead lead = lead_of(octet(bytes, at++));
    if (lead.continuation < 0) return false;
    for (int i = 0; i < lead.continuation; ++i, ++at) {
      if (at == bytes.size() || octet(bytes, at) >> 6 != 0x02) return false;
      lead.bits = lead.bits << 6 | (octet(bytes, at) & 0x3FU);
    }
    if (lead.bits < lead.smallest || lead.bits > 0x10FFFF || (lead.bits >= 0xD800 && lead.bits < 0xE000)) return false;
  }
  return true;
}

}  // namespace bobbin::smpp
