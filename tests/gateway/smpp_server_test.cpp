#include "tests/gateway/smpp_rig.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <thread>

namespace bobbin::smpp {
namespace {

TEST_CASE("strangers are refused, told why, and hung up on") {
  SmppRig rig;
  Client wrong_password(rig.loop.io(), rig.client_options("alice", "wrong"));
  CHECK(rig.bind(wrong_password).status == Status::invalid_password);
  Client unknown(rig.loop.io(), rig.client_options("mallory", "secret"));
  CHECK(rig.bind(unknown).status == Status::invalid_system_id);
  rig.loop.run_until([&] { return rig.server->counters().sessions == 0; });
  CHECK(rig.server->counters().failed_binds == 2);
  CHECK(rig.server->counters().binds == 0);
  CHECK(rig.handler.closed.empty());
}

TEST_CASE("no submit before the bind, none on a receiver") {
  SmppRig rig;
  tcp::socket socket = rig.raw();
  std::string pdu;
  append_submit_sm(pdu, 9, message("too early"));
  boost::asio::write(socket, boost::asio::buffer(pdu));
  const std::string answer = rig.receive(socket, header_bytes);
  CHECK(decode_header(answer).command == Command::submit_sm_resp);
  CHECK(decode_header(answer).status == Status::invalid_bind_status);
  CHECK(decode_header(answer).sequence == 9);

  ClientOptions options = rig.client_options();
  options.bind = Command::bind_receiver;
  Client receiver(rig.loop.io(), options);
  CHECK(rig.bind(receiver).bound());
  std::optional<Status> status;
  receiver.submit(message("x"), [&](const SubmitResult& got) { status = got.status; });
  rig.loop.run_until([&] { return status.has_value(); });
  CHECK(status == Status::invalid_bind_status);
  CHECK(rig.handler.held.empty());
}

TEST_CASE("who does not bind in time is hung up on") {
  ServerOptions options;
  options.bind_timeout = milliseconds(20);
  SmppRig rig(options);
  tcp::socket socket = rig.raw();
  CHECK(rig.receive(socket).empty());
  CHECK(rig.server->counters().failed_binds == 1);
}

TEST_CASE("the window is kept for each session") {
  ServerOptions options;
  options.window = 3;
  SmppRig rig(options);
  Client client(rig.loop.io(), rig.client_options());
  Client other(rig.loop.io(), rig.client_options("bob", "hunter2"));
  rig.bind(client);
  rig.bind(other);
  std::vector<Status> refused;
  std::size_t accepted = 0;
  const auto done = [&](const SubmitResult& got) {
    if (got.accepted()) {
      ++accepted;
    } else {
      refused.push_back(got.status);
    }
  };
  for (int i = 0; i < 5; ++i) client.submit(message("x"), done);
  rig.loop.run_until([&] { return refused.size() == 2; });
  CHECK(refused == std::vector<Status>{Status::throttled, Status::throttled});
  CHECK(rig.server->counters().throttled == 2);
  other.submit(message("y"), done);
  rig.loop.run_until([&] { return rig.handler.held.size() == 4; });
  rig.handler.answer_all();
  rig.loop.run_until([&] { return accepted == 4; });
}

TEST_CASE("an oversized PDU ends its own session only") {
  SmppRig rig;
  Client bystander(rig.loop.io(), rig.client_options("bob", "hunter2"));
  rig.bind(bystander);
  tcp::socket socket = rig.raw();
  // The bad length is followed by more bytes than fit in the buffer: they are thrown away.
  boost::asio::write(socket,
                     boost::asio::buffer(bind_pdu() + std::string("\x7f\0\0\0\0\0\0\x04\0\0\0\0\0\0\0\x05", 16) +
                                         std::string(60'000, 'x')));
  const std::string answer = rig.receive(socket);
  // A goodbye, not a reset: that could have destroyed the answer on its way.
  CHECK(rig.ending == boost::asio::error::eof);
  REQUIRE(answer.size() > header_bytes);
  const std::string_view last = std::string_view(answer).substr(answer.size() - header_bytes);
  CHECK(decode_header(last).command == Command::generic_nack);
  CHECK(decode_header(last).status == Status::invalid_command_length);
  CHECK(decode_header(last).sequence == 5);
  CHECK(rig.server->counters().malformed == 1);
  std::optional<SubmitResult> result;
  bystander.submit(message("still here"), [&](const SubmitResult& got) { result = got; });
  rig.loop.run_until([&] { return rig.handler.held.size() == 1; });
  rig.handler.answer_all();
  rig.loop.run_until([&] { return result.has_value(); });
  CHECK(result->accepted());
}

TEST_CASE("a malformed body and an unknown command are refused, the session goes on") {
  SmppRig rig;
  tcp::socket socket = rig.raw();
  std::string pdus = bind_pdu();
  pdus += std::string(
      "\0\0\0\x14\0\0\0\x04\0\0\0\0\0\0\0\x02"
      "abcd",
      20);
  pdus += std::string("\0\0\0\x10\0\0\x77\x77\0\0\0\0\0\0\0\x03", 16);
  append_header_only(pdus, Command::enquire_link, Status::ok, 4);
  boost::asio::write(socket, boost::asio::buffer(pdus));
  const std::size_t bind_resp_bytes = header_bytes + sizeof("bobbin");
  const std::string answers = rig.receive(socket, bind_resp_bytes + 3 * header_bytes).substr(bind_resp_bytes);
  REQUIRE(answers.size() == 3 * header_bytes);
  const Header refused = decode_header(answers);
  CHECK(refused.command == Command::submit_sm_resp);
  CHECK(refused.status == Status::invalid_command_length);
  CHECK(refused.sequence == 2);
  const Header nack = decode_header(std::string_view(answers).substr(header_bytes));
  CHECK(nack.command == Command::generic_nack);
  CHECK(nack.status == Status::invalid_command_id);
  CHECK(nack.sequence == 3);
  CHECK(decode_header(std::string_view(answers).substr(2 * header_bytes)).command == Command::enquire_link_resp);
  CHECK(rig.server->counters().malformed == 1);
  CHECK(rig.server->counters().nacks == 1);
}

TEST_CASE("a message for later is refused rather than sent now") {
  SmppRig rig;
  Client client(rig.loop.io(), rig.client_options());
  rig.bind(client);
  SubmitSm later = message("x");
  later.schedule_delivery_time = "000001000000000R";
  std::optional<Status> status;
  client.submit(later, [&](const SubmitResult& got) { status = got.status; });
  rig.loop.run_until([&] { return status.has_value(); });
  CHECK(status == Status::invalid_schedule);
  CHECK(rig.handler.held.empty());
}

TEST_CASE("replies are safe from any thread and after the session is gone") {
  SmppRig rig;
  auto client = std::make_unique<Client>(rig.loop.io(), rig.client_options());
  rig.bind(*client);
  std::optional<SubmitResult> result;
  client->submit(message("1"), [&](const SubmitResult& got) { result = got; });
  client->submit(message("2"), {});
  rig.loop.run_until([&] { return rig.handler.held.size() == 2; });
  std::thread([&] { rig.handler.held[0].reply(Status::ok, "from another thread"); }).join();
  rig.loop.run_until([&] { return result.has_value(); });
  CHECK(result->message_id == "from another thread");
  client.reset();
  rig.loop.run_until([&] { return rig.handler.closed.size() == 1; });
  rig.handler.held[1].reply(Status::ok, "too late");
  rig.loop.run_ready();
  CHECK(rig.server->counters().sessions == 0);
}

TEST_CASE("a reply that is dropped answers system_error") {
  SmppRig rig;
  Client client(rig.loop.io(), rig.client_options());
  rig.bind(client);
  std::optional<SubmitResult> result;
  client.submit(message("1"), [&](const SubmitResult& got) { result = got; });
  rig.loop.run_until([&] { return rig.handler.held.size() == 1; });
  rig.handler.held.clear();
  rig.loop.run_until([&] { return result.has_value(); });
  CHECK(result->status == Status::system_error);
}

TEST_CASE("a silent peer is asked, and dropped if it stays silent") {
  ServerOptions options;
  options.enquire_interval = milliseconds(20);
  options.enquire_timeout = milliseconds(20);
  SmppRig rig(options);
  tcp::socket socket = rig.raw();
  boost::asio::write(socket, boost::asio::buffer(bind_pdu()));
  const std::string all = rig.receive(socket);
  const std::string_view last = std::string_view(all).substr(all.size() - header_bytes);
  CHECK(decode_header(last).command == Command::enquire_link);
  CHECK(rig.handler.closed.size() == 1);
}

TEST_CASE("a peer that answers enquire_link is kept") {
  ServerOptions options;
  options.enquire_interval = milliseconds(5);
  SmppRig rig(options);
  tcp::socket socket = rig.raw();
  boost::asio::write(socket, boost::asio::buffer(bind_pdu()));
  rig.receive(socket, header_bytes + sizeof("bobbin"));
  for (int round = 0; round < 3; ++round) {
    const Header asked = decode_header(rig.receive(socket, header_bytes));
    CHECK(asked.command == Command::enquire_link);
    std::string answer;
    append_header_only(answer, Command::enquire_link_resp, Status::ok, asked.sequence);
    boost::asio::write(socket, boost::asio::buffer(answer));
  }
  CHECK(rig.handler.closed.empty());
}

TEST_CASE("a peer that unbinds with submits open still gets their answers") {
  SmppRig rig;
  tcp::socket socket = rig.raw();
  std::string pdus = bind_pdu();
  append_submit_sm(pdus, 2, message("open"));
  append_header_only(pdus, Command::unbind, Status::ok, 3);
  boost::asio::write(socket, boost::asio::buffer(pdus));
  rig.loop.run_until([&] { return rig.handler.held.size() == 1; });
  rig.loop.run_ready();
  rig.handler.answer_all();
  const std::string all = rig.receive(socket).substr(header_bytes + sizeof("bobbin"));
  CHECK(decode_header(all).command == Command::submit_sm_resp);
  CHECK(decode_header(std::string_view(all).substr(all.size() - header_bytes)).command == Command::unbind_resp);
}

TEST_CASE("a drain answers what is open, refuses what is new, and says goodbye") {
  SmppRig rig;
  std::optional<Lost> lost;
  Client client(rig.loop.io(), rig.client_options());
  rig.bind(client, [&](const Lost& got) { lost = got; });
  std::vector<SubmitResult> results;
  const auto done = [&](const SubmitResult& got) { results.push_back(got); };
  client.submit(message("open"), done);
  rig.loop.run_until([&] { return rig.handler.held.size() == 1; });
  bool drained = false;
  rig.server->drain(std::chrono::seconds(10), [&] { drained = true; });
  client.submit(message("new"), done);
  rig.loop.run_until([&] { return results.size() == 1; });
  CHECK(results[0].status == Status::throttled);
  CHECK_FALSE(drained);
  Client late(rig.loop.io(), rig.client_options());
  CHECK_FALSE(rig.bind(late).bound());
  rig.handler.answer_all();
  rig.loop.run_until([&] { return drained && lost; });
  REQUIRE(results.size() == 2);
  CHECK(results[1].accepted());
  CHECK(lost->unanswered.empty());
  CHECK(rig.handler.closed.size() == 1);
}

TEST_CASE("a drain ends at its deadline") {
  SmppRig rig;
  Client client(rig.loop.io(), rig.client_options());
  rig.bind(client);
  std::optional<SubmitResult> result;
  client.submit(message("never answered"), [&](const SubmitResult& got) { result = got; });
  rig.loop.run_until([&] { return rig.handler.held.size() == 1; });
  bool drained = false;
  rig.server->drain(milliseconds(10), [&] { drained = true; });
  rig.loop.run_until([&] { return drained && result; });
  CHECK(result->kind == SubmitResult::Kind::unanswered);
}

TEST_CASE("two listeners on one port: the second is told") {
  SmppRig rig;
  ServerOptions options;
  options.port = rig.server->port();
  CHECK_THROWS_WITH_AS(Server(rig.loop.io(), options, rig.handler, tests::silent_log()),
                       doctest::Contains("cannot listen for SMPP"), std::system_error);
}

TEST_CASE("sessions beyond the limit are turned away") {
  ServerOptions options;
  options.sessions_max = 1;
  SmppRig rig(options);
  Client first(rig.loop.io(), rig.client_options());
  CHECK(rig.bind(first).bound());
  Client second(rig.loop.io(), rig.client_options("bob", "hunter2"));
  CHECK_FALSE(rig.bind(second).bound());
  CHECK(rig.server->counters().refused_connections == 1);
}

}  // namespace
}  // namespace bobbin::smpp
