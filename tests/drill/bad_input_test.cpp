// What a gateway must bear: broken PDUs, strangers, wrong bodies. Nothing is lost by them, nobody else suffers.
#include "tests/drill/process_rig.hpp"
#include "tools/smpp/encode.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <doctest/doctest.h>

namespace bobbin::drill {

namespace {

using boost::asio::ip::tcp;

void send(tcp::socket& socket, const std::string& bytes) { boost::asio::write(socket, boost::asio::buffer(bytes)); }

// The header of the next PDU; the rest of it is passed over.
smpp::Header next_header(tcp::socket& socket) {
  std::string bytes(smpp::header_bytes, '\0');
  boost::asio::read(socket, boost::asio::buffer(bytes));
  const auto header = smpp::decode_header(bytes);
  std::string body(header.length - smpp::header_bytes, '\0');
  boost::asio::read(socket, boost::asio::buffer(body));
  return header;
}

// Whether the gateway hangs up, whatever it says before.
bool hangs_up(tcp::socket& socket) {
  boost::system::error_code end;
  std::string rest;
  boost::asio::read(socket, boost::asio::dynamic_buffer(rest), end);
  return end == boost::asio::error::eof || end == boost::asio::error::connection_reset;
}

std::string bind_pdu() {
  smpp::Bind bind;
  bind.system_id = account;
  bind.password = account_password;
  std::string pdu;
  smpp::append_bind(pdu, smpp::Command::bind_transmitter, 1, bind);
  return pdu;
}

std::string header_only(smpp::Command command, std::uint32_t sequence) {
  std::string pdu;
  smpp::append_header_only(pdu, command, smpp::Status::ok, sequence);
  return pdu;
}

std::string with_length(std::string pdu, std::uint32_t length) {
  for (int i = 0; i < 4; ++i) pdu[static_cast<std::size_t>(i)] = static_cast<char>(length >> (24 - 8 * i));
  return pdu;
}

}  // namespace

TEST_CASE("malformed PDUs end or annoy their own session only") {
  ProcessRig rig;
  rig.start();
  const auto good = rig.bind();
  rig.accepted(*good, "before");

  auto unknown = rig.raw_smpp();
  send(unknown, bind_pdu());
  CHECK(next_header(unknown).status == smpp::Status::ok);
  send(unknown, header_only(static_cast<smpp::Command>(0x77), 2));
  CHECK(next_header(unknown).command == smpp::Command::generic_nack);
  // A submit_sm without a body is refused, and the session goes on.
  send(unknown, header_only(smpp::Command::submit_sm, 3));
  const auto refusal = next_header(unknown);
  CHECK(refusal.sequence == 3);
  CHECK(refusal.status != smpp::Status::ok);
  send(unknown, header_only(smpp::Command::enquire_link, 4));
  CHECK(next_header(unknown).command == smpp::Command::enquire_link_resp);

  for (const std::uint32_t length : {0u, 15u, 0x7fffffffu, 0xffffffffu}) {
    auto broken = rig.raw_smpp();
    send(broken, bind_pdu());
    CHECK(next_header(broken).status == smpp::Status::ok);
    send(broken, with_length(header_only(smpp::Command::enquire_link, 2), length));
    CHECK(hangs_up(broken));
  }

  rig.accepted(*good, "after");
  CHECK(rig.batches_with(2).front().messages.size() == 2);
  CHECK(rig.admin("GET", "/stats").json()["smpp"]["malformed"] >= 4);
}

TEST_CASE("who has not bound gets nothing in") {
  ProcessRig rig;
  rig.start();
  for (const auto& [name, password] :
       {std::pair{"drill", "wrong"}, std::pair{"nobody", "spindle"}, std::pair{"", ""}}) {
    const auto stranger = rig.client(name, password);
    const auto result = rig.try_bind(*stranger);
    CHECK(result.connected);
    CHECK_FALSE(result.bound());
  }
  auto early = rig.raw_smpp();
  smpp::SubmitSm submit;
  submit.source.digits = "1";
  submit.destination.digits = "2";
  submit.short_message = "let me in";
  std::string pdu;
  smpp::append_submit_sm(pdu, 1, submit);
  send(early, pdu);
  CHECK(next_header(early).status == smpp::Status::invalid_bind_status);
  const auto stats = rig.admin("GET", "/stats").json();
  CHECK(stats["smpp"]["failed_binds"] == 3);
  CHECK(stats["intake"]["accepted"] == 0);
}

TEST_CASE("wrong HTTP requests are answered 4xx with a reason, right ones after the commit") {
  ProcessRig rig;
  const auto ports = rig.start();
  const std::string good = R"({"from":"+491","to":"+492","text":"hello","message_id":"m-1"})";
  CHECK(rig.http(ports.http, "POST", "/sms", "", good).status == 401);
  CHECK(rig.http(ports.http, "POST", "/sms", admin_token, good).status == 401);
  CHECK(rig.http(ports.http, "POST", "/other", http_token, good).status == 404);
  CHECK(rig.http(ports.http, "GET", "/sms", http_token).status == 405);
  const std::string long_text(20'000, 'x');
  const std::pair<std::string, int> wrong[] = {
      {"", 400},
      {"not json", 400},
      {"[]", 400},
      {R"({"from":"+491","to":"+492"})", 400},
      {R"({"from":"+491","to":"+492","text":7})", 400},
      {R"({"from":"+491","to":"+492","text":"x","txt":"y"})", 400},
      {R"({"from":")" + std::string(200, '1') + R"(","to":"+492","text":"x"})", 400},
      {R"({"from":"+491","to":"+492","text":")" + long_text + R"("})", 413},
      {std::string(100'000, ' '), 413},
  };
  for (const auto& [body, status] : wrong) {
    const auto answer = rig.post_sms(body);
    CAPTURE(body.substr(0, 80));
    CHECK(answer.status == status);
    CHECK_FALSE(answer.body.empty());
  }
  const auto first = rig.post_sms(good);
  CHECK(first.status == 202);
  CHECK(first.json()["repeated"] == false);
  const auto second = rig.post_sms(good);
  CHECK(second.status == 202);
  CHECK(second.json()["repeated"] == true);
  CHECK(second.json()["message_id"] == first.json()["message_id"]);
  const auto batches = rig.batches_with(1);
  REQUIRE(batches.size() == 1);
  CHECK(batches[0].messages[0].id == first.json()["message_id"]);
}

}  // namespace bobbin::drill
