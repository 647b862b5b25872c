// A server on a free port of the loopback, its handler, and peers of it.
#pragma once

#include "tests/gateway/event_loop.hpp"
#include "tools/smpp/client.hpp"
#include "tools/smpp/encode.hpp"
#include "tools/smpp/server.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <optional>
#include <string>
#include <vector>

namespace bobbin::smpp {

using boost::asio::ip::tcp;
using std::chrono::milliseconds;

// Keeps every message and its reply until the test answers.
class HoldingHandler : public SubmitHandler {
 public:
  struct Held {
    SessionId session;
    std::string account;
    std::string content;
    std::string destination;
    Reply reply;
  };

  void on_submit(const Submit& submit, Reply reply) override {
    held.push_back({submit.session, std::string(submit.account), std::string(submit.content),
                    std::string(submit.destination.digits), std::move(reply)});
  }
  void on_session_closed(SessionId session) override { closed.push_back(session); }

  void answer_all() {
    int number = 0;
    for (auto& held_one : std::exchange(held, {})) held_one.reply(Status::ok, "id-" + std::to_string(number++));
  }

  std::vector<Held> held;
  std::vector<SessionId> closed;
};

struct SmppRig {
  explicit SmppRig(ServerOptions options = {}) {
    options.port = 0;
    options.accounts = {{"alice", "secret"}, {"bob", "hunter2"}};
    server.emplace(loop.io(), options, handler, tests::silent_log());
  }

  ClientOptions client_options(const std::string& system_id = "alice", const std::string& password = "secret") const {
    ClientOptions options;
    options.port = server->port();
    options.system_id = system_id;
    options.password = password;
    return options;
  }

  BindResult bind(Client& client, std::function<void(const Lost&)> on_lost = {}) {
    std::optional<BindResult> result;
    client.connect([&](const BindResult& bind) { result = bind; }, std::move(on_lost));
    loop.run_until([&] { return result.has_value(); });
    return *result;
  }

  // A bare socket, for what a well-behaved client cannot send.
  tcp::socket raw() {
    tcp::socket socket(loop.io());
    socket.connect({boost::asio::ip::address_v4::loopback(), server->port()});
    return socket;
  }

  // All that the peer sends until it hangs up, or until `bytes` have come.
  std::string receive(tcp::socket& socket, std::size_t bytes = 100'000) {
    std::string received(bytes, '\0');
    std::optional<std::size_t> got;
    boost::asio::async_read(socket, boost::asio::buffer(received),
                            [&](boost::system::error_code error, std::size_t count) {
                              ending = error;
                              got = count;
                            });
    loop.run_until([&] { return got.has_value(); });
    received.resize(*got);
    return received;
  }

  tests::EventLoop loop;
  boost::system::error_code ending;  // how the last receive() ended
  HoldingHandler handler;
  std::optional<Server> server;
};

inline SubmitSm message(std::string_view text) {
  SubmitSm submit;
  submit.source = {ton::international, npi::e164, "491710000001"};
  submit.destination = {ton::international, npi::e164, "491710000002"};
  submit.short_message = text;
  return submit;
}

inline std::string bind_pdu(std::string_view password = "secret") {
  std::string out;
  Bind bind;
  bind.system_id = "alice";
  bind.password = password;
  append_bind(out, Command::bind_transceiver, 1, bind);
  return out;
}

}  // namespace bobbin::smpp
