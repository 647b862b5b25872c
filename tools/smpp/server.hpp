// An SMPP 3.4 server: accounts bind and submit, a handler decides about each message. Asio types are named but not
// included, so that this header stays cheap.
#pragma once

#include "tools/smpp/parts.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace boost::asio {
class io_context;
}
namespace spdlog {
class logger;
}

namespace bobbin::smpp {

struct Account {
  std::string system_id;  // at most 15 bytes
  std::string password;   // at most 8 bytes
};

struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 2775;  // 0: any free one, see Server::port()
  std::string system_id = "bobbin";
  std::vector<Account> accounts;
  std::size_t window = 100;          // unanswered submits of one session; beyond it they are answered `throttled`
  std::size_t sessions_max = 1'000;  // further connections are closed at once
  std::size_t pdu_bytes_max = 16 * 1024;
  std::size_t unsent_bytes_max = 256 * 1024;
  std::chrono::milliseconds bind_timeout{10'000};
  std::chrono::milliseconds enquire_interval{30'000};
  std::chrono::milliseconds enquire_timeout{10'000};
};

// Never used again while the server lives.
using SessionId = std::uint64_t;

// One message as it came. The views are valid during SubmitHandler::on_submit only.
struct Submit {
  SessionId session = 0;
  std::string_view account;
  std::uint32_t sequence = 0;
  Address source;
  Address destination;
  std::uint8_t esm_class = 0;
  std::uint8_t data_coding = 0;
  std::uint8_t registered_delivery = 0;
  std::string_view content;  // octets in data_coding, without a user data header
  std::optional<std::uint16_t> user_message_reference;
  std::optional<PartInfo> part;
};

// Where a reply goes; implemented by the server.
class ReplyTarget {
 public:
  virtual ~ReplyTarget() = default;
  virtual void reply(std::uint32_t sequence, Status status, const std::string& message_id) = 0;
};

// The one answer to one submit. Call it once, at any time, from any thread, as long as the io_context lives: the answer
// is written by the I/O thread, at once if that is the caller. If the session has ended it does nothing. A Reply that
// is destroyed uncalled answers system_error, so that no submit stays open by mistake.
class Reply {
 public:
  Reply(std::weak_ptr<ReplyTarget> target, std::uint32_t sequence);
  Reply(Reply&& other) noexcept;
  Reply& operator=(Reply&& other) noexcept;
  ~Reply();

  // `message_id`: at most 64 bytes without NUL; sent with Status::ok only.
  void operator()(Status status, const std::string& message_id = {});

 private:
  void drop() noexcept;

  std::weak_ptr<ReplyTarget> target_;
  std::uint32_t sequence_ = 0;
};

// Called on the I/O thread; must neither block nor throw.
class SubmitHandler {
 public:
  virtual ~SubmitHandler() = default;
  virtual void on_submit(const Submit& submit, Reply reply) = 0;
  // Once for each session that had bound, after its last on_submit. Replies still held have no effect from here on.
  virtual void on_session_closed(SessionId session) = 0;
};

// Readable from any thread. Each counts since the start, but `sessions` is how many are open now.
struct ServerCounters {
  std::atomic<std::uint64_t> connections{0};
  std::atomic<std::uint64_t> binds{0};
  std::atomic<std::uint64_t> failed_binds{0};
  std::atomic<std::uint64_t> submits{0};    // handed to the handler
  std::atomic<std::uint64_t> nacks{0};      // generic_nack sent
  std::atomic<std::uint64_t> malformed{0};  // PDUs that could not be read
  std::atomic<std::uint64_t> throttled{0};  // submits beyond the window, or during a drain
  std::atomic<std::uint64_t> refused_connections{0};
  std::atomic<std::uint64_t> sessions{0};
};

// Not thread-safe: made, used and destroyed on the I/O thread, or while that does not run. The io_context must outlive
// it and must run on one thread. The handler must outlive it too.
class Server {
 public:
  // Listens at once; throws std::system_error if the address cannot be listened on. Calls sodium_init.
  Server(boost::asio::io_context& io, ServerOptions options, SubmitHandler& handler,
         std::shared_ptr<spdlog::logger> log);
  // Closes every session without an answer; the handler hears of each.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::uint16_t port() const;
  const ServerCounters& counters() const;

  // Stops listening, answers new submits `throttled`, unbinds each session once its outstanding submits are answered,
  // and calls `done` when the last is gone; after `deadline` the rest is cut off. Call it once.
  void drain(std::chrono::milliseconds deadline, std::function<void()> done);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace bobbin::smpp
