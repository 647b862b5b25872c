#include "tests/gateway/http_rig.hpp"
#include "tools/http/post.hpp"

#include <doctest/doctest.h>

#include <atomic>

namespace bobbin::http {
namespace {

TEST_CASE("a post arrives with its body and headers, and its answer comes back") {
  HttpRig rig;
  const CurlGlobal global;
  Poster poster(global);
  const std::string body(100'000, 'b');
  ServerOptions options;
  options.body_bytes_max = 200'000;
  HttpRig large(options);
  const PostResult result = large.beside([&] {
    PostRequest request;
    request.url = large.url("/batches");
    request.body = body;
    request.headers = {{"X-Signature", "abc"}, {"Content-Type", "application/json"}};
    request.response_bytes_max = 200'000;
    return poster.post(request);
  });
  CHECK(result.kind == PostResult::Kind::answered);
  CHECK(result.status == 200);
  CHECK(result.body == "you said " + body);
  CHECK_FALSE(result.body_truncated);
  REQUIRE(large.requests.size() == 1);
  CHECK(large.requests[0].header("X-Signature") == "abc");
  CHECK(large.requests[0].header("Content-Type") == "application/json");
  CHECK(large.requests[0].body == body);
  CHECK(judge(result) == Verdict::delivered);
}

TEST_CASE("a poster uses its connection again") {
  HttpRig rig;
  const CurlGlobal global;
  Poster poster(global);
  PostRequest request;
  request.url = rig.url("/");
  request.body = "x";
  for (int round = 0; round < 3; ++round) {
    CHECK(rig.beside([&] { return poster.post(request); }).status == 200);
    CHECK(rig.server->counters().connections == 1);
  }
}

TEST_CASE("an answer above the limit is cut, its status counts") {
  HttpRig rig;
  const CurlGlobal global;
  Poster poster(global);
  PostRequest request;
  request.url = rig.url("/");
  request.body = "0123456789";
  request.response_bytes_max = 12;
  const PostResult result = rig.beside([&] { return poster.post(request); });
  CHECK(result.kind == PostResult::Kind::answered);
  CHECK(result.status == 200);
  CHECK(result.body == "you said 012");
  CHECK(result.body_truncated);
}

TEST_CASE("network errors are told apart from answers") {
  const CurlGlobal global;
  Poster poster(global);
  PostRequest request;
  {
    tests::EventLoop loop;
    tcp::acceptor taken(loop.io(), {boost::asio::ip::address_v4::loopback(), 0});
    request.url = "http://127.0.0.1:" + std::to_string(taken.local_endpoint().port()) + "/";
  }
  const PostResult refused = poster.post(request);
  CHECK(refused.kind == PostResult::Kind::network_error);
  CHECK_FALSE(refused.error.empty());
  CHECK(judge(refused) == Verdict::again);

  HttpRig rig;
  request.url = rig.url("/hold");
  request.total_timeout = milliseconds(50);
  const PostResult late = rig.beside([&] { return poster.post(request); });
  CHECK(late.kind == PostResult::Kind::network_error);
  CHECK(late.status == 0);

  request.url = "file:///etc/hostname";
  CHECK(poster.post(request).kind == PostResult::Kind::network_error);
  request.url = rig.url("/");
  request.headers = {{"X-Bad", "a\r\nX-Injected: b"}};
  CHECK(poster.post(request).error == "a header has a line break or NUL in it");
}

TEST_CASE("a post is cancelled by its flag") {
  HttpRig rig;
  const CurlGlobal global;
  Poster poster(global);
  PostRequest request;
  request.url = rig.url("/hold");
  std::atomic<bool> stop{false};
  std::optional<PostResult> result;
  std::thread thread([&] {
    result = poster.post(request, [&] { return stop.load(); });
    boost::asio::post(rig.loop.io(), [] {});
  });
  rig.loop.run_until([&] { return rig.held.size() == 1; });
  stop = true;
  thread.join();
  CHECK(result->kind == PostResult::Kind::cancelled);
  CHECK(judge(*result) == Verdict::cancelled);
}

TEST_CASE("redirects are answers, not orders") {
  tests::EventLoop loop;
  std::size_t requests = 0;
  Server server(
      loop.io(), {},
      [&](const Request&, Respond respond) {
        ++requests;
        respond({302, "", "text/plain", {{"Location", "/elsewhere"}}});
      },
      tests::silent_log());
  const CurlGlobal global;
  Poster poster(global);
  PostRequest request;
  request.url = "http://127.0.0.1:" + std::to_string(server.port()) + "/";
  std::optional<PostResult> result;
  bool done = false;
  std::thread thread([&] {
    result = poster.post(request);
    boost::asio::post(loop.io(), [&] { done = true; });
  });
  loop.run_until([&] { return done; });
  thread.join();
  CHECK(result->status == 302);
  CHECK(requests == 1);
  CHECK(judge(*result) == Verdict::refused);
}

TEST_CASE("which answers are worth another attempt") {
  const auto verdict = [](long status) {
    PostResult result;
    result.kind = PostResult::Kind::answered;
    result.status = status;
    return judge(result);
  };
  for (const long status : {200, 201, 202, 204, 299}) CHECK(verdict(status) == Verdict::delivered);
  for (const long status : {408, 429, 500, 502, 503, 504, 599}) CHECK(verdict(status) == Verdict::again);
  for (const long status : {301, 302, 400, 401, 403, 404, 409, 410, 413, 422, 600}) {
    CHECK(verdict(status) == Verdict::refused);
  }
}

}  // namespace
}  // namespace bobbin::http
