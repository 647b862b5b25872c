#include "tools/smpp/text.hpp"

#include "tools/smpp/constants.hpp"

#include <doctest/doctest.h>

#include <string>

namespace bobbin::smpp {
namespace {

std::string exact(std::uint8_t data_coding, std::string_view octets) {
  const Text text = decode_text(data_coding, octets);
  CHECK(text.fidelity == Fidelity::exact);
  CHECK(is_utf8(text.utf8));
  return text.utf8;
}

std::string replaced(std::uint8_t data_coding, std::string_view octets) {
  const Text text = decode_text(data_coding, octets);
  CHECK(text.fidelity == Fidelity::replaced);
  CHECK(is_utf8(text.utf8));
  return text.utf8;
}

TEST_CASE("the GSM alphabet") {
  CHECK(exact(coding::gsm, {"\x00\x01\x02\x03\x10\x11\x1c\x20", 8}) == "@£$¥Δ_Æ ");
  CHECK(exact(coding::gsm, "Hello 123") == "Hello 123");
  CHECK(exact(coding::gsm, "\x5b\x5c\x5d\x5e\x5f\x60\x7b\x7c\x7d\x7e\x7f") == "ÄÖÑÜ§¿äöñüà");
  CHECK(exact(coding::gsm, "\x1b\x65\x1b\x3c\x1b\x3e\x1b\x40\x1b\x2f") == "€[]|\\");
  CHECK(exact(coding::gsm, "\x1b\x28\x1b\x29\x1b\x14\x1b\x3d\x1b\x0a") == "{}^~\f");
  CHECK(exact(coding::gsm, "") == "");
}

TEST_CASE("what has no meaning in its coding stands as a replacement") {
  CHECK(replaced(coding::gsm, "a\x80z") == "a\uFFFDz");
  CHECK(replaced(coding::gsm, "a\x1b") == "a\uFFFD");
  CHECK(replaced(coding::gsm, "a\x1b\x41z") == "a\uFFFDz");
  CHECK(replaced(coding::ascii, "a\xE4") == "a\uFFFD");
  CHECK(replaced(coding::ucs2, {"\0a\0", 3}) == "a\uFFFD");
  CHECK(replaced(coding::ucs2, {"\xD8\x3D\0a", 4}) == "\uFFFDa");
  CHECK(replaced(coding::ucs2, {"\xDE\x00\0a", 4}) == "\uFFFDa");
  CHECK(replaced(coding::ucs2, {"\xD8\x3D", 2}) == "\uFFFD");
}

TEST_CASE("ASCII, Latin-1 and UTF-16") {
  CHECK(exact(coding::ascii, "plain") == "plain");
  CHECK(exact(coding::latin1, "\xE4\xF6\xFC") == "äöü");
  CHECK(exact(coding::ucs2, {"\0H\0i\x20\xAC", 6}) == "Hi€");
  CHECK(exact(coding::ucs2, {"\xD8\x3D\xDE\x00", 4}) == "\U0001F600");
}

TEST_CASE("a surrogate pair split over two parts is whole when the octets are joined first") {
  const std::string first("\0A\xD8\x3D", 4);
  const std::string second("\xDE\x00\0B", 4);
  CHECK(exact(coding::ucs2, first + second) == "A\U0001F600B");
}

TEST_CASE("other codings are binary") {
  CHECK(decode_text(4, "\x01\x02").fidelity == Fidelity::binary);
  CHECK(decode_text(0xF5, "\x01\x02").utf8.empty());
  CHECK(to_hex({"\x00\x1f\xff", 3}) == "001fff");
}

TEST_CASE("UTF-8 is checked strictly") {
  CHECK(is_utf8("aä€\U0001F600"));
  CHECK_FALSE(is_utf8("\xC0\x80"));
  CHECK_FALSE(is_utf8("\xED\xA0\x80"));
  CHECK_FALSE(is_utf8("\xF4\x90\x80\x80"));
  CHECK_FALSE(is_utf8("\xE2\x82"));
  CHECK_FALSE(is_utf8("\x80"));
  CHECK_FALSE(is_utf8("\xFF"));
}

}  // namespace
}  // namespace bobbin::smpp
