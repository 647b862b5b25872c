#include "tests/gateway/http_rig.hpp"

#include <doctest/doctest.h>

namespace bobbin::http {
namespace {

std::string post_text(const std::string& path, const std::string& body, const std::string& more = "") {
  return "POST " + path + " HTTP/1.1\r\nHost: x\r\n" + more + "Content-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

TEST_CASE("a request is answered, and the connection serves the next") {
  HttpRig rig;
  tcp::socket socket = rig.connect();
  for (const std::string word : {"one", "two"}) {
    boost::asio::write(socket, boost::asio::buffer(post_text("/sms?x=1", word, "X-Who: me\r\n")));
    const std::string answer = rig.receive_until(socket, "you said " + word);
    CHECK(answer.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(answer.find("X-Test: yes\r\n") != std::string::npos);
    CHECK(answer.find("Content-Type: text/plain\r\n") != std::string::npos);
  }
  REQUIRE(rig.requests.size() == 2);
  CHECK(rig.requests[0].method == "POST");
  CHECK(rig.requests[0].path == "/sms");
  CHECK(rig.requests[0].query == "x=1");
  CHECK(rig.requests[0].header("x-WHO") == "me");
  CHECK(rig.requests[0].header("absent").empty());
  CHECK(rig.server->counters().requests == 2);
}

TEST_CASE("pipelined requests are answered in order") {
  HttpRig rig;
  const std::string answers = rig.exchange(post_text("/", "first") + post_text("/", "second", "Connection: close\r\n"));
  CHECK(answers.find("first") < answers.find("second"));
  CHECK(answers.find("second") != std::string::npos);
}

TEST_CASE("a client that waits for 100 Continue gets it") {
  HttpRig rig;
  tcp::socket socket = rig.connect();
  boost::asio::write(socket, boost::asio::buffer(std::string(
                                 "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")));
  CHECK(rig.receive_until(socket, "\r\n\r\n").starts_with("HTTP/1.1 100"));
  boost::asio::write(socket, boost::asio::buffer(std::string("body")));
  CHECK(rig.receive_until(socket, "you said body").starts_with("HTTP/1.1 200"));
}

TEST_CASE("bad requests are refused with their status") {
  ServerOptions options;
  options.body_bytes_max = 100;
  options.header_bytes_max = 1'000;
  HttpRig rig(options);
  CHECK(rig.exchange("complete nonsense\r\n\r\n").starts_with("HTTP/1.1 400"));
  CHECK(rig.exchange("POST / HTTP/1.1\r\nContent-Length: minus\r\n\r\n").starts_with("HTTP/1.1 400"));
  CHECK(rig.exchange(post_text("/", std::string(101, 'x'))).starts_with("HTTP/1.1 413"));
  // Far more than the server will ever read.
  CHECK(rig.exchange(post_text("/", std::string(1'000'000, 'x'))).starts_with("HTTP/1.1 413"));
  // A goodbye, not a reset: that could have destroyed the answer on its way.
  CHECK(rig.ending == boost::asio::error::eof);
  CHECK(rig.exchange("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n" + std::string(101, 'x') +
                     "\r\n0\r\n\r\n")
            .starts_with("HTTP/1.1 413"));
  CHECK(rig.exchange("GET / HTTP/1.1\r\nX-Long: " + std::string(2'000, 'x') + "\r\n\r\n").starts_with("HTTP/1.1 431"));
  CHECK(rig.requests.empty());
  CHECK(rig.server->counters().malformed == 6);
  CHECK(rig.exchange(post_text("/", std::string(100, 'x'), "Connection: close\r\n")).starts_with("HTTP/1.1 200"));
}

TEST_CASE("HEAD tells the length and sends no body") {
  HttpRig rig;
  const std::string answer = rig.exchange("HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  CHECK(answer.find("Content-Length: 9\r\n") != std::string::npos);
  CHECK(answer.ends_with("\r\n\r\n"));
}

TEST_CASE("who does not send a whole request in time is hung up on") {
  ServerOptions options;
  options.read_timeout = milliseconds(20);
  HttpRig rig(options);
  CHECK(rig.exchange("POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf").empty());
  CHECK(rig.exchange("").empty());
  CHECK(rig.server->counters().connections == 0);
}

TEST_CASE("an answer may come later, from any thread") {
  HttpRig rig;
  tcp::socket socket = rig.connect();
  boost::asio::write(socket, boost::asio::buffer(post_text("/hold", "x", "Connection: close\r\n")));
  rig.loop.run_until([&] { return rig.held.size() == 1; });
  std::thread([&] { rig.held[0]({202, "later", "text/plain", {}}); }).join();
  const std::string answer = rig.receive_all(socket);
  CHECK(answer.starts_with("HTTP/1.1 202"));
  CHECK(answer.ends_with("later"));
}

TEST_CASE("an answer to a connection that is gone does nothing, one that is dropped is a 500") {
  HttpRig rig;
  tcp::socket socket = rig.connect();
  boost::asio::write(socket, boost::asio::buffer(post_text("/hold", "x", "Connection: close\r\n")));
  rig.loop.run_until([&] { return rig.held.size() == 1; });
  rig.held.clear();
  CHECK(rig.receive_all(socket).starts_with("HTTP/1.1 500"));
  boost::asio::write(socket = rig.connect(), boost::asio::buffer(post_text("/hold", "x")));
  rig.loop.run_until([&] { return rig.held.size() == 1; });
  rig.server.reset();
  rig.held[0]({200, "too late", "text/plain", {}});
  rig.loop.run_ready();
  CHECK(rig.receive_all(socket).empty());
}

TEST_CASE("a handler that throws answers 500, and the server goes on") {
  HttpRig rig;
  CHECK(rig.exchange(post_text("/throw", "x", "Connection: close\r\n")).starts_with("HTTP/1.1 500"));
  CHECK(rig.exchange(post_text("/", "x", "Connection: close\r\n")).starts_with("HTTP/1.1 200"));
}

TEST_CASE("connections beyond the limit wait their turn") {
  ServerOptions options;
  options.connections_max = 1;
  HttpRig rig(options);
  tcp::socket first = rig.connect();
  boost::asio::write(first, boost::asio::buffer(post_text("/hold", "x", "Connection: close\r\n")));
  rig.loop.run_until([&] { return rig.held.size() == 1; });
  tcp::socket second = rig.connect();
  boost::asio::write(second, boost::asio::buffer(post_text("/", "y", "Connection: close\r\n")));
  rig.loop.run_ready();
  CHECK(rig.requests.size() == 1);
  rig.held[0]({200, "", "text/plain", {}});
  CHECK(rig.receive_all(first).starts_with("HTTP/1.1 200"));
  first.close();
  CHECK(rig.receive_all(second).starts_with("HTTP/1.1 200"));
}

TEST_CASE("a drain closes idle connections and waits for open requests") {
  HttpRig rig;
  tcp::socket idle = rig.connect();
  tcp::socket busy = rig.connect();
  boost::asio::write(busy, boost::asio::buffer(post_text("/hold", "x")));
  rig.loop.run_until([&] { return rig.held.size() == 1 && rig.server->counters().connections == 2; });
  bool drained = false;
  rig.server->drain(seconds(10), [&] { drained = true; });
  CHECK(rig.receive_all(idle).empty());
  CHECK_FALSE(drained);
  rig.held[0]({200, "done", "text/plain", {}});
  CHECK(rig.receive_all(busy).ends_with("done"));
  busy.close();
  rig.loop.run_until([&] { return drained; });
}

TEST_CASE("a drain ends at its deadline") {
  HttpRig rig;
  tcp::socket busy = rig.connect();
  boost::asio::write(busy, boost::asio::buffer(post_text("/hold", "x")));
  rig.loop.run_until([&] { return rig.held.size() == 1; });
  bool drained = false;
  rig.server->drain(milliseconds(10), [&] { drained = true; });
  rig.loop.run_until([&] { return drained; });
  CHECK(rig.receive_all(busy).empty());
}

}  // namespace
}  // namespace bobbin::http
