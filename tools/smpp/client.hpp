// An SMPP 3.4 client for one connection: bind, many submits in flight, unbind. It tells of every submit what became of
// it, however the connection ends. To connect again, make a new one.
#pragma once

#include "tools/smpp/pdu.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace boost::asio {
class io_context;
}

namespace bobbin::smpp {

struct ClientOptions {
  std::string host = "127.0.0.1";  // an IP address
  std::uint16_t port = 2775;
  std::string system_id;
  std::string password;
  Command bind = Command::bind_transceiver;  // one of the three bind requests
  std::size_t window = 100;                  // submits in flight; the rest waits in the client
  std::size_t pdu_bytes_max = 16 * 1024;
  std::chrono::milliseconds bind_timeout{10'000};  // from connect() to the answer to the bind
  std::chrono::milliseconds enquire_interval{30'000};
  std::chrono::milliseconds enquire_timeout{10'000};
};

struct BindResult {
  bool connected = false;      // false: no connection, or lost before the answer
  Status status = Status::ok;  // the server's answer, if connected
  std::string error;           // what went wrong, empty when bound

  bool bound() const { return connected && status == Status::ok; }
};

struct SubmitResult {
  enum class Kind {
    answered,    // status and message_id are the server's
    unanswered,  // may have reached the server; nobody knows
    unsent,      // has certainly not left this client
  };
  Kind kind = Kind::unsent;
  std::uint32_t sequence = 0;
  Status status = Status::ok;
  std::string message_id;

  bool accepted() const { return kind == Kind::answered && status == Status::ok; }
};

struct Lost {
  std::string reason;
  std::vector<std::uint32_t> unanswered;  // sequence numbers, ascending
  std::vector<std::uint32_t> unsent;
};

// Not thread-safe: used on the thread that runs the io_context, or while that does not run. All callbacks run on that
// thread, never inside the call that was handed them.
class Client {
 public:
  Client(boost::asio::io_context& io, ClientOptions options);
  // Closes the connection; no callback runs any more.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Connects and binds; `done` runs once. Call it once. `on_lost` runs once, when a bound connection ends for any
  // reason but an unbind() that was answered, after the callbacks of all submits that the end left open.
  void connect(std::function<void(const BindResult&)> done, std::function<void(const Lost&)> on_lost = {});

  // Sends as soon as the window allows, in call order, and answers the sequence number. `done` runs exactly once,
  // unless the client is destroyed first. Throws std::invalid_argument if a field does not fit. What `submit` views is
  // copied.
  std::uint32_t submit(const SubmitSm& submit, std::function<void(const SubmitResult&)> done);

  // Unbinds once all submits so far are answered; `done` runs when the connection is closed.
  void unbind(std::function<void()> done);

  // Drops the connection at once, as if it had been lost: on_lost runs.
  void abort();

  std::size_t in_flight() const;  // sent or on their way, unanswered
  std::size_t waiting() const;    // behind the window
  bool bound() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace bobbin::smpp
