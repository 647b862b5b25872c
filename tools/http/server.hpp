// A small HTTP/1.1 server: one handler, answers now or later. Asio types are named but not included, so that this
// header stays cheap.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace boost::asio {
class io_context;
}
namespace spdlog {
class logger;
}

namespace bobbin::http {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method;  // as sent, such as "POST"
  std::string path;    // without the query
  std::string query;   // behind the '?', undecoded; empty if there is none
  Headers headers;
  std::string body;

  // The first header of that name, in any case; empty if there is none.
  std::string_view header(std::string_view name) const;
};

struct Response {
  unsigned status = 200;
  std::string body;
  std::string content_type = "application/json";
  Headers headers;  // besides Content-Type, Content-Length and Connection
};

// Where a response goes; implemented by the server.
class ResponseTarget {
 public:
  virtual ~ResponseTarget() = default;
  virtual void respond(Response response) = 0;
};

// The one response to one request. Call it once, at any time, from any thread, as long as the io_context lives. If the
// connection is gone it does nothing. One that is destroyed uncalled answers 500, so that no request stays open by
// mistake.
class Respond {
 public:
  explicit Respond(std::weak_ptr<ResponseTarget> target);
  Respond(Respond&& other) noexcept;
  Respond& operator=(Respond&& other) noexcept;
  ~Respond();

  void operator()(Response response);

 private:
  void drop() noexcept;

  std::weak_ptr<ResponseTarget> target_;
};

// Called on the I/O thread; must not block. What it throws is logged and answered with 500.
using Handler = std::function<void(Request, Respond)>;

struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;             // 0: any free one, see Server::port()
  std::size_t connections_max = 256;  // further ones wait in the kernel's queue
  std::size_t body_bytes_max = 64 * 1024;
  std::size_t header_bytes_max = 8 * 1024;
  std::chrono::milliseconds read_timeout{10'000};   // for a request to arrive whole, and for a connection without one
  std::chrono::milliseconds write_timeout{10'000};  // for a response to be taken
};

// Readable from any thread. Each counts since the start, but `connections` is how many are open now.
struct ServerCounters {
  std::atomic<std::uint64_t> requests{0};   // handed to the handler
  std::atomic<std::uint64_t> malformed{0};  // answered 400, 413 or 431 by the server itself
  std::atomic<std::uint64_t> connections{0};
};

// Not thread-safe: made, used and destroyed on the I/O thread, or while that does not run. The io_context must outlive
// it and must run on one thread.
class Server {
 public:
  // Listens at once; throws std::system_error if the address cannot be listened on.
  Server(boost::asio::io_context& io, ServerOptions options, Handler handler, std::shared_ptr<spdlog::logger> log);
  // Closes every connection; the handler is not called any more.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::uint16_t port() const;
  const ServerCounters& counters() const;

  // Stops listening, closes idle connections, lets requests that have begun be answered, and calls `done` when the last
  // connection is gone; after `deadline` the rest is cut off. Call it once.
  void drain(std::chrono::milliseconds deadline, std::function<void()> done);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace bobbin::http
