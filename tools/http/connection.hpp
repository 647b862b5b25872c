// One HTTP connection of the server. Internal to tools/http.
#pragma once

#include "tools/http/server.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <spdlog/logger.h>

#include <memory>
#include <optional>
#include <string>

namespace bobbin::http {

// What connections share; the server owns it and outlives every connection that is not closed.
struct ConnectionContext {
  const ServerOptions& options;
  const Handler& handler;
  ServerCounters& counters;
  std::shared_ptr<spdlog::logger> log;
  std::function<void(std::uint64_t)> forget;  // the connection is closed
};

class Connection : public ResponseTarget, public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::uint64_t id, boost::asio::ip::tcp::socket socket, ConnectionContext& context);

  void start() { read_header(); }
  // Closes as soon as no request is open.
  void drain();
  // Ends at once.
  void close();

  void respond(Response response) override;

 private:
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;
  using Message = boost::beast::http::response<boost::beast::http::string_body>;
  enum class State { idle, reading, handling, writing, lingering, closed };

  void read_header();
  void on_header(boost::beast::error_code error);
  void continue_body();
  void read_body();
  void on_request(boost::beast::error_code error);
  void hand_over();
  void on_read_error(boost::beast::error_code error);
  void refuse(unsigned status, const std::string& reason);
  void write(Response response);
  void on_written(boost::beast::error_code error, bool keep_alive);
  void linger();
  void discard();

  std::uint64_t id_;
  ConnectionContext& context_;
  boost::asio::any_io_executor executor_;
  boost::beast::tcp_stream stream_;
  boost::beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  std::shared_ptr<Message> message_;
  State state_ = State::idle;
  bool keep_alive_ = false;
  bool head_ = false;
  bool draining_ = false;
};

}  // namespace bobbin::http
