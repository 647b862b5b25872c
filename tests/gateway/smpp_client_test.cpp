#include "tests/gateway/smpp_rig.hpp"

#include <doctest/doctest.h>

namespace bobbin::smpp {
namespace {

TEST_CASE("a message goes in and its answer comes back later") {
  SmppRig rig;
  Client client(rig.loop.io(), rig.client_options());
  CHECK(rig.bind(client).bound());
  std::optional<SubmitResult> result;
  const std::uint32_t sequence = client.submit(message("hello"), [&](const SubmitResult& got) { result = got; });
  rig.loop.run_until([&] { return rig.handler.held.size() == 1; });
  CHECK(rig.handler.held[0].account == "alice");
  CHECK(rig.handler.held[0].content == "hello");
  CHECK(rig.handler.held[0].destination == "491710000002");
  rig.loop.run_ready();
  CHECK_FALSE(result);
  rig.handler.held[0].reply(Status::ok, "message-1");
  rig.loop.run_until([&] { return result.has_value(); });
  CHECK(result->accepted());
  CHECK(result->sequence == sequence);
  CHECK(result->message_id == "message-1");
}

TEST_CASE("many in flight, answered in any order, each to its own") {
  SmppRig rig;
  ClientOptions options = rig.client_options();
  options.window = 50;
  Client client(rig.loop.io(), options);
  rig.bind(client);
  std::vector<std::string> ids(200);
  std::size_t done = 0;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    client.submit(message(std::to_string(i)), [&, i](const SubmitResult& got) {
      ids[i] = got.message_id;
      ++done;
    });
  }
  while (done < ids.size()) {
    rig.loop.run_until([&] { return rig.handler.held.size() == std::min<std::size_t>(50, ids.size() - done); });
    CHECK(client.in_flight() <= 50);
    const std::size_t before = done;
    const std::size_t answers = rig.handler.held.size();
    auto held = std::exchange(rig.handler.held, {});
    for (auto one = held.rbegin(); one != held.rend(); ++one) one->reply(Status::ok, "id-" + one->content);
    rig.loop.run_until([&] { return done == before + answers; });
  }
  for (std::size_t i = 0; i < ids.size(); ++i) CHECK(ids[i] == "id-" + std::to_string(i));
}

TEST_CASE("unbinding waits for outstanding answers") {
  SmppRig rig;
  bool lost = false;
  Client client(rig.loop.io(), rig.client_options());
  rig.bind(client, [&](const Lost&) { lost = true; });
  std::vector<std::string> events;
  client.submit(message("1"), [&](const SubmitResult&) { events.push_back("answered"); });
  client.unbind([&] { events.push_back("unbound"); });
  rig.loop.run_until([&] { return rig.handler.held.size() == 1; });
  rig.handler.answer_all();
  rig.loop.run_until([&] { return events.size() == 2; });
  CHECK(events == std::vector<std::string>{"answered", "unbound"});
  CHECK_FALSE(lost);
}

TEST_CASE("unbinding waits for what the window holds back, too") {
  SmppRig rig;
  ClientOptions options = rig.client_options();
  options.window = 1;
  Client client(rig.loop.io(), options);
  rig.bind(client);
  std::size_t accepted = 0;
  bool unbound = false;
  for (int i = 0; i < 3; ++i) client.submit(message("x"), [&](const SubmitResult& got) { accepted += got.accepted(); });
  client.unbind([&] { unbound = true; });
  for (std::size_t answers = 1; answers <= 3; ++answers) {
    rig.loop.run_until([&] { return rig.handler.held.size() == 1 || unbound; });
    rig.handler.answer_all();
  }
  rig.loop.run_until([&] { return unbound; });
  CHECK(accepted == 3);
}

TEST_CASE("when the server dies, the client knows exactly what was unanswered") {
  SmppRig rig;
  std::optional<Lost> lost;
  ClientOptions options = rig.client_options();
  options.window = 10;
  Client client(rig.loop.io(), options);
  rig.bind(client, [&](const Lost& got) { lost = got; });
  std::vector<std::uint32_t> answered;
  std::vector<std::uint32_t> open;
  std::vector<std::uint32_t> sequences;
  for (int i = 0; i < 15; ++i) {
    sequences.push_back(client.submit(message(std::to_string(i)), [&](const SubmitResult& got) {
      (got.kind == SubmitResult::Kind::answered ? answered : open).push_back(got.sequence);
    }));
  }
  rig.loop.run_until([&] { return rig.handler.held.size() == 10; });
  for (int i = 0; i < 4; ++i) rig.handler.held[i].reply(Status::ok, "x");
  rig.loop.run_until([&] { return answered.size() == 4 && rig.handler.held.size() == 14; });
  rig.server.reset();
  rig.loop.run_until([&] { return lost.has_value(); });
  using Numbers = std::vector<std::uint32_t>;
  CHECK(answered == Numbers(sequences.begin(), sequences.begin() + 4));
  CHECK(lost->unanswered == Numbers(sequences.begin() + 4, sequences.begin() + 14));
  CHECK(lost->unsent == Numbers(sequences.begin() + 14, sequences.end()));
  CHECK(open.size() == 11);
  std::optional<SubmitResult> after;
  client.submit(message("after"), [&](const SubmitResult& got) { after = got; });
  rig.loop.run_until([&] { return after.has_value(); });
  CHECK(after->kind == SubmitResult::Kind::unsent);
}

TEST_CASE("a client that finds no server says so") {
  tests::EventLoop loop;
  tcp::acceptor taken(loop.io(), {boost::asio::ip::address_v4::loopback(), 0});
  ClientOptions options;
  options.port = taken.local_endpoint().port();
  taken.close();
  Client client(loop.io(), options);
  std::optional<BindResult> result;
  std::optional<SubmitResult> submitted;
  client.submit(message("x"), [&](const SubmitResult& got) { submitted = got; });
  client.connect([&](const BindResult& got) { result = got; });
  loop.run_until([&] { return result && submitted; });
  CHECK_FALSE(result->connected);
  CHECK(result->error.find("cannot connect") != std::string::npos);
  CHECK(submitted->kind == SubmitResult::Kind::unsent);
}

TEST_CASE("a server that accepts and says nothing is given up") {
  tests::EventLoop loop;
  tcp::acceptor mute(loop.io(), {boost::asio::ip::address_v4::loopback(), 0});
  ClientOptions options;
  options.port = mute.local_endpoint().port();
  options.bind_timeout = milliseconds(20);
  Client client(loop.io(), options);
  std::optional<BindResult> result;
  client.connect([&](const BindResult& got) { result = got; });
  loop.run_until([&] { return result.has_value(); });
  CHECK_FALSE(result->bound());
}

}  // namespace
}  // namespace bobbin::smpp
