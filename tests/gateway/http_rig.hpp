// A server on a free port of the loopback, and peers of it.
#pragma once

#include "tests/gateway/event_loop.hpp"
#include "tools/http/server.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace bobbin::http {

using boost::asio::ip::tcp;
using std::chrono::milliseconds;
using std::chrono::seconds;

struct HttpRig {
  explicit HttpRig(ServerOptions options = {}) {
    server.emplace(
        loop.io(), options,
        [this](Request request, Respond respond) {
          requests.push_back(request);
          if (request.path == "/throw") throw std::runtime_error("broken handler");
          if (request.path == "/hold") return held.push_back(std::move(respond));
          respond({200, "you said " + request.body, "text/plain", {{"X-Test", "yes"}}});
        },
        tests::silent_log());
  }

  tcp::socket connect() {
    tcp::socket socket(loop.io());
    socket.connect({boost::asio::ip::address_v4::loopback(), server->port()});
    return socket;
  }

  // All that comes until the server hangs up; `ending` then says how it did.
  std::string receive_all(tcp::socket& socket) {
    std::string received(100'000, '\0');
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

  // What comes up to and with `end`.
  std::string receive_until(tcp::socket& socket, const std::string& end) {
    std::string received;
    std::optional<std::size_t> got;
    boost::asio::async_read_until(socket, boost::asio::dynamic_buffer(received), end,
                                  [&](boost::system::error_code, std::size_t count) { got = count; });
    loop.run_until([&] { return got.has_value(); });
    return received;
  }

  std::string exchange(const std::string& request) {
    tcp::socket socket = connect();
    // Beside the reading: a large request does not fit in the kernel's buffers, and the server may leave some of it.
    boost::asio::async_write(socket, boost::asio::buffer(request), [](boost::system::error_code, std::size_t) {});
    std::string received = receive_all(socket);
    socket.close();
    loop.run_ready();
    return received;
  }

  // Runs a blocking call on a thread of its own while the server works here.
  template <typename Call>
  auto beside(Call call) {
    std::optional<decltype(call())> result;
    bool done = false;
    std::thread thread([&] {
      result = call();
      boost::asio::post(loop.io(), [&] { done = true; });
    });
    loop.run_until([&] { return done; });
    thread.join();
    return *result;
  }

  std::string url(const std::string& path) const { return "http://127.0.0.1:" + std::to_string(server->port()) + path; }

  tests::EventLoop loop;
  boost::system::error_code ending;
  std::vector<Request> requests;
  std::vector<Respond> held;
  std::optional<Server> server;
};

}  // namespace bobbin::http
