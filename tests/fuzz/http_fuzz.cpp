// What an HTTP peer may send, through the server's own connection: the same requests reach the handler however the
// bytes arrive, each is answered, and none exceeds the limits.
#include "tests/fuzz/input.hpp"
#include "tools/http/connection.hpp"

#include <boost/asio/io_context.hpp>
#include <spdlog/sinks/null_sink.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace bobbin::http;
using bobbin::fuzz::require;

namespace {

constexpr std::size_t body_bytes_max = 600;
constexpr std::size_t header_bytes_max = 1024;

struct Exchange {
  std::vector<Request> requests;
  std::string answers;
  std::uint64_t refused = 0;
};

// One connection over a pair of sockets, driven until the server has closed it.
class Peer {
 public:
  Peer() {
    options_.body_bytes_max = body_bytes_max;
    options_.header_bytes_max = header_bytes_max;
    int ends[2];
    require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0, "there is a pair of sockets");
    ours_ = ends[0];
    boost::asio::ip::tcp::socket socket(io_, boost::asio::ip::tcp::v4(), ends[1]);
    connection_ = std::make_shared<Connection>(1, std::move(socket), context_);
    connection_->start();
  }
  ~Peer() { ::close(ours_); }

  Exchange talk(std::string_view bytes, std::size_t chunk) {
    while (!bytes.empty() && !closed_) {
      const auto sent = ::send(ours_, bytes.data(), std::min(chunk, bytes.size()), MSG_NOSIGNAL);
      if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
      work();
    }
    ::shutdown(ours_, SHUT_WR);
    while (!closed_) work();
    receive();
    exchange_.refused = counters_.malformed;
    return std::move(exchange_);
  }

 private:
  void work() {
    io_.restart();
    io_.poll();
    receive();
  }

  void receive() {
    char bytes[4096];
    for (ssize_t count = 0; (count = ::recv(ours_, bytes, sizeof bytes, 0)) > 0;)
      exchange_.answers.append(bytes, static_cast<std::size_t>(count));
  }

  boost::asio::io_context io_{1};
  ServerOptions options_;
  ServerCounters counters_;
  Exchange exchange_;
  Handler handler_ = [this](Request request, Respond respond) {
    exchange_.requests.push_back(std::move(request));
    respond({200, "taken", "text/plain", {}});
  };
  bool closed_ = false;
  ConnectionContext context_{options_, handler_, counters_,
                             std::make_shared<spdlog::logger>("", std::make_shared<spdlog::sinks::null_sink_st>()),
                             [this](std::uint64_t) { closed_ = true; }};
  int ours_ = -1;
  std::shared_ptr<Connection> connection_;
};

std::size_t count_of(std::string_view text, std::string_view word) {
  std::size_t count = 0;
  for (auto at = text.find(word); at != text.npos; at = text.find(word, at + word.size())) ++count;
  return count;
}

void check_request(const Request& request) {
  require(!request.method.empty() && request.body.size() <= body_bytes_max, "a request keeps to the limits");
  std::size_t header_bytes = 0;
  for (const auto& [name, value] : request.headers) {
    header_bytes += name.size() + value.size();
    require(!name.empty() && value.find_first_of(std::string_view("\r\n\0", 3)) == value.npos, "a header is one line");
  }
  require(header_bytes <= header_bytes_max, "the header keeps to its limit");
  for (const auto* text : {&request.method, &request.path, &request.query})
    require(text->find_first_of(std::string_view(" \r\n\0", 4)) == text->npos, "the first line has three words");
}

bool alike(const std::vector<Request>& left, const std::vector<Request>& right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(), [](const Request& one, const Request& other) {
    return one.method == other.method && one.path == other.path && one.query == other.query &&
           one.headers == other.headers && one.body == other.body;
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  bobbin::fuzz::Input input(data, size);
  const std::size_t chunk = input.number<std::uint8_t>() + 1u;
  const auto bytes = input.rest();
  const auto whole = Peer().talk(bytes, std::max<std::size_t>(1, bytes.size()));
  const auto chunked = Peer().talk(bytes, chunk);
  require(alike(whole.requests, chunked.requests), "the same requests are read however they arrive");
  // Whether a header that is cut short is still refused for a bad character depends on how much of it came at once.
  require(whole.refused <= 1 && chunked.refused <= 1, "a connection is refused once");
  require(count_of(whole.answers, "HTTP/1.1 200 ") == whole.requests.size(), "every request is answered");
  for (const auto& request : whole.requests) check_request(request);
  return 0;
}
