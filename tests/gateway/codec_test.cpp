#include "tools/smpp/encode.hpp"
#include "tools/smpp/frame.hpp"
#include "tools/smpp/parts.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

namespace bobbin::smpp {
namespace {

SubmitSm full_submit() {
  SubmitSm submit;
  submit.service_type = "WAP";
  submit.source = {ton::alphanumeric, npi::unknown, "Bobbin"};
  submit.destination = {ton::international, npi::e164, "491710000001"};
  submit.esm_class = 0x03;
  submit.protocol_id = 4;
  submit.priority = 2;
  submit.validity_period = "000001000000000R";
  submit.registered_delivery = 1;
  submit.data_coding = coding::latin1;
  submit.short_message = "hello";
  submit.user_message_reference = 0xBEEF;
  submit.sar_reference = 0x0102;
  submit.sar_total = 3;
  submit.sar_index = 2;
  return submit;
}

std::string encoded(const SubmitSm& submit) {
  std::string out;
  append_submit_sm(out, 7, submit);
  return out;
}

// The body in memory of exactly its size, so that a sanitizer sees each read outside.
Status decode_exact(std::string_view body, SubmitSm& submit) {
  static thread_local std::vector<char> copy;
  copy = std::vector<char>(body.begin(), body.end());
  return decode_submit_sm({copy.data(), copy.size()}, submit);
}

TEST_CASE("a submit_sm comes back as it was written") {
  const std::string pdu = encoded(full_submit());
  const Header header = decode_header(pdu);
  CHECK(header.length == pdu.size());
  CHECK(header.command == Command::submit_sm);
  CHECK(header.sequence == 7);
  SubmitSm back;
  REQUIRE(decode_exact(std::string_view(pdu).substr(header_bytes), back) == Status::ok);
  CHECK(back.service_type == "WAP");
  CHECK(back.source.digits == "Bobbin");
  CHECK(back.source.ton == ton::alphanumeric);
  CHECK(back.destination.digits == "491710000001");
  CHECK(back.destination.npi == npi::e164);
  CHECK(back.esm_class == 0x03);
  CHECK(back.validity_period == "000001000000000R");
  CHECK(back.registered_delivery == 1);
  CHECK(back.data_coding == coding::latin1);
  CHECK(back.short_message == "hello");
  CHECK(back.user_message_reference == 0xBEEF);
  CHECK(back.sar_reference == 0x0102);
  CHECK(back.sar_total == 3);
  CHECK(back.sar_index == 2);
}

TEST_CASE("a submit_sm has the bytes that the protocol fixes") {
  SubmitSm submit;
  submit.source = {1, 1, "12"};
  submit.destination = {1, 1, "34"};
  submit.short_message = "x";
  const std::string expected(
      "\0\0\0\x26\0\0\0\x04\0\0\0\0\0\0\0\x07"
      "\0\x01\x01"
      "12\0\x01\x01"
      "34\0\0\0\0\0\0\0\0\0\0\x01x",
      38);
  CHECK(encoded(submit) == expected);
}

TEST_CASE("message_payload carries what short_message cannot") {
  const std::string text(3'000, 'y');
  SubmitSm submit = full_submit();
  submit.short_message = {};
  submit.message_payload = text;
  const std::string pdu = encoded(submit);
  SubmitSm back;
  REQUIRE(decode_exact(std::string_view(pdu).substr(header_bytes), back) == Status::ok);
  CHECK(back.message_payload == text);
}

TEST_CASE("binds and responses come back as they were written") {
  std::string out;
  Bind bind;
  bind.system_id = "account";
  bind.password = "secret";
  bind.address_range = "^49";
  append_bind(out, Command::bind_transceiver, 1, bind);
  Bind back;
  REQUIRE(decode_bind(std::string_view(out).substr(header_bytes), back) == Status::ok);
  CHECK(back.system_id == "account");
  CHECK(back.password == "secret");
  CHECK(back.version == interface_version);
  CHECK(back.address_range == "^49");

  out.clear();
  append_bind_resp(out, Command::bind_transceiver_resp, Status::ok, 1, "bobbin");
  std::string_view text;
  REQUIRE(decode_bind_resp(std::string_view(out).substr(header_bytes), text) == Status::ok);
  CHECK(text == "bobbin");

  out.clear();
  append_submit_sm_resp(out, Status::ok, 2, "id-1");
  REQUIRE(decode_submit_sm_resp(std::string_view(out).substr(header_bytes), text) == Status::ok);
  CHECK(text == "id-1");

  out.clear();
  append_submit_sm_resp(out, Status::throttled, 2, "ignored");
  CHECK(out.size() == header_bytes);
  REQUIRE(decode_submit_sm_resp({}, text) == Status::ok);
  CHECK(text.empty());
}

TEST_CASE("a field that does not fit is refused and leaves nothing behind") {
  std::string out = "before";
  SubmitSm submit = full_submit();
  submit.destination.digits = "123456789012345678901";
  CHECK_THROWS_AS(append_submit_sm(out, 1, submit), std::invalid_argument);
  CHECK(out == "before");
  const std::string long_text(255, 'x');
  submit = full_submit();
  submit.short_message = long_text;
  CHECK_THROWS_AS(append_submit_sm(out, 1, submit), std::invalid_argument);
  CHECK(out == "before");
  CHECK_THROWS_AS(append_submit_sm_resp(out, Status::ok, 1, std::string(65, 'x')), std::invalid_argument);
  CHECK(out == "before");
}

TEST_CASE("a body cut at any length is refused, never read beyond") {
  const std::string pdu = encoded(full_submit());
  const std::string_view body = std::string_view(pdu).substr(header_bytes);
  SubmitSm back;
  // The mandatory part alone is a whole message, and so is each whole TLV after it.
  const std::size_t tlv_bytes = 6 + 6 + 5 + 5;
  std::size_t whole = 0;
  for (std::size_t size = 0; size < body.size(); ++size) {
    const Status status = decode_exact(body.substr(0, size), back);
    if (size == body.size() - tlv_bytes || size == body.size() - tlv_bytes + 6) {
      CHECK(status == Status::ok);
      ++whole;
    } else {
      CHECK(status != Status::ok);
    }
  }
  CHECK(whole == 2);
}

TEST_CASE("a bind cut at any length is refused") {
  std::string out;
  Bind bind;
  bind.system_id = "account";
  bind.password = "secret";
  append_bind(out, Command::bind_transmitter, 1, bind);
  const std::string_view body = std::string_view(out).substr(header_bytes);
  for (std::size_t size = 0; size < body.size(); ++size) {
    const std::vector<char> copy(body.begin(), body.begin() + static_cast<std::ptrdiff_t>(size));
    Bind back;
    CHECK(decode_bind({copy.data(), copy.size()}, back) == Status::invalid_command_length);
  }
}

TEST_CASE("C-octet strings are bounded by their field, not by the body") {
  std::string body(1, '\0');
  body += std::string("\1\1", 2) + std::string(21, '1') + '\0' + std::string(40, '\0');
  SubmitSm back;
  CHECK(decode_exact(body, back) == Status::invalid_command_length);
}

TEST_CASE("malformed submit_sm bodies get the status that names the fault") {
  const auto with_tlv = [](std::string_view tlv) {
    SubmitSm submit;
    submit.destination = {1, 1, "34"};
    return encoded(submit).substr(header_bytes) + std::string(tlv);
  };
  SubmitSm back;
  CHECK(decode_exact(with_tlv({"\x02\x04\0\x03"
                               "abc",
                               7}),
                     back) == Status::invalid_tlv_length);
  CHECK(decode_exact(with_tlv({"\x02\x04\0\x04"
                               "ab",
                               6}),
                     back) == Status::invalid_tlv_stream);
  CHECK(decode_exact(with_tlv({"\x02", 1}), back) == Status::invalid_tlv_stream);
  CHECK(decode_exact(with_tlv({"\x04\x24\xff\xff", 4}), back) == Status::invalid_tlv_stream);
  CHECK(decode_exact(with_tlv({"\x02\x0c\0\x02\0\x01", 6}), back) == Status::missing_tlv);
  CHECK(decode_exact(with_tlv({"\x77\x77\0\x02\0\x01", 6}), back) == Status::ok);
  // Of a repeated one the first counts.
  CHECK(decode_exact(with_tlv({"\x02\x04\0\x02\0\x01\x02\x04\0\x02\0\x02", 12}), back) == Status::ok);
  CHECK(back.user_message_reference == 1);

  SubmitSm both = full_submit();
  both.message_payload = "also";
  CHECK(decode_exact(encoded(both).substr(header_bytes), back) == Status::tlv_not_allowed);
  SubmitSm timed = full_submit();
  timed.schedule_delivery_time = "short";
  CHECK(decode_exact(encoded(timed).substr(header_bytes), back) == Status::invalid_schedule);
}

TEST_CASE("random bodies and flipped bytes never read outside") {
  std::mt19937 random(20261124);
  const std::string good = encoded(full_submit()).substr(header_bytes);
  for (int round = 0; round < 20'000; ++round) {
    std::string body = good;
    for (int flips = 0; flips < 3; ++flips) body[random() % body.size()] = static_cast<char>(random());
    body.resize(random() % (body.size() + 1));
    SubmitSm back;
    UserData user_data;
    if (decode_exact(body, back) != Status::ok) continue;
    back.esm_class |= esm_class_udh;
    static_cast<void>(split_user_data(back, user_data));
    CHECK(user_data.content.size() <= body.size());
  }
}

TEST_CASE("framing does not depend on how the stream is cut") {
  std::string stream;
  for (std::uint32_t sequence = 1; sequence <= 20; ++sequence) {
    append_submit_sm(stream, sequence, full_submit());
    append_header_only(stream, Command::enquire_link, Status::ok, sequence);
  }
  std::mt19937 random(1);
  for (std::size_t step = 1; step < 200; ++step) {
    FrameBuffer frames(256);
    std::size_t at = 0;
    std::uint32_t taken = 0;
    while (at < stream.size()) {
      const auto room = frames.writable();
      REQUIRE(!room.empty());
      const std::size_t count = std::min({room.size(), stream.size() - at, step % 2 ? step : 1 + random() % step});
      stream.copy(room.data(), count, at);
      frames.commit(count);
      at += count;
      Pdu pdu;
      while (frames.next(pdu) == FrameBuffer::Result::pdu) {
        ++taken;
        CHECK(pdu.header.sequence == (taken + 1) / 2);
        CHECK(pdu.body.empty() == (taken % 2 == 0));
      }
    }
    CHECK(taken == 40);
  }
}

TEST_CASE("impossible lengths stop the stream") {
  const auto first_result = [](std::uint32_t length) {
    FrameBuffer frames(1'000);
    std::string bytes(16, '\0');
    for (int i = 0; i < 4; ++i) bytes[i] = static_cast<char>(length >> (24 - 8 * i));
    bytes.copy(frames.writable().data(), bytes.size());
    frames.commit(bytes.size());
    Pdu pdu;
    return frames.next(pdu);
  };
  CHECK(first_result(0) == FrameBuffer::Result::bad_length);
  CHECK(first_result(15) == FrameBuffer::Result::bad_length);
  CHECK(first_result(16) == FrameBuffer::Result::pdu);
  CHECK(first_result(1'000) == FrameBuffer::Result::need_more);
  CHECK(first_result(1'001) == FrameBuffer::Result::bad_length);
  CHECK(first_result(0xFFFFFFFF) == FrameBuffer::Result::bad_length);
}

UserData split(std::uint8_t esm_class, std::string_view message, Status expected = Status::ok) {
  SubmitSm submit;
  submit.esm_class = esm_class;
  submit.short_message = message;
  UserData user_data;
  CHECK(split_user_data(submit, user_data) == expected);
  return user_data;
}

TEST_CASE("parts are known by their user data header") {
  const std::string_view narrow("\x05\x00\x03\xAB\x03\x02text", 10);
  CHECK(split(0x40, narrow).part == PartInfo{0xAB, 3, 2});
  CHECK(split(0x40, narrow).content == "text");
  CHECK(split(0xC3, narrow).part == PartInfo{0xAB, 3, 2});
  CHECK(split(0x40, {"\x06\x08\x04\x12\x34\x02\x01text", 11}).part == PartInfo{0x1234, 2, 1});
  // An element that is not known is passed over.
  CHECK(split(0x40, {"\x09\x05\x02\x01\x02\x00\x03\x07\x02\x01x", 11}).part == PartInfo{7, 2, 1});
  // Without its bit, the same octets are text, whatever the other bits say.
  CHECK_FALSE(split(0x3F, narrow).part);
  CHECK(split(0xBF, narrow).content == narrow);
}

TEST_CASE("an impossible concatenation is a whole message, a broken header is refused") {
  CHECK_FALSE(split(0x40, {"\x05\x00\x03\x01\x00\x00x", 7}).part);
  CHECK_FALSE(split(0x40, {"\x05\x00\x03\x01\x02\x03x", 7}).part);
  CHECK_FALSE(split(0x40, {"\x05\x00\x03\x01\x02\x00x", 7}).part);
  CHECK_FALSE(split(0x40, {"\x05\x00\x03\x01\x01\x01x", 7}).part);
  CHECK(split(0x40, {"\x05\x00\x03\x01\x02\x03x", 7}).content == "x");
  split(0x40, {"\x06\x00\x03\x01\x02\x01", 6}, Status::invalid_esm_class);
  split(0x40, {"\x03\x00\x03\x01", 4}, Status::invalid_esm_class);
  split(0x40, "", Status::invalid_esm_class);
}

TEST_CASE("parts are known by sar TLVs too, behind the header") {
  SubmitSm submit = full_submit();
  UserData user_data;
  REQUIRE(split_user_data(submit, user_data) == Status::ok);
  CHECK(user_data.part == PartInfo{0x0102, 3, 2});
  submit.esm_class = 0x40;
  submit.short_message = std::string_view("\x05\x00\x03\xAB\x04\x01text", 10);
  REQUIRE(split_user_data(submit, user_data) == Status::ok);
  CHECK(user_data.part == PartInfo{0xAB, 4, 1});
}

}  // namespace
}  // namespace bobbin::smpp
