#include "tools/http/connection.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

namespace bobbin::http {

namespace beast = boost::beast;
namespace bhttp = boost::beast::http;

namespace {

// How long a connection that was refused may go on sending. Closing with unread bytes would reset it and could destroy
// the answer on its way.
constexpr std::chrono::seconds linger_time{2};

std::string text_of(beast::string_view view) { return {view.data(), view.size()}; }

Request to_request(bhttp::request<bhttp::string_body>&& message) {
  Request request;
  request.method = text_of(message.method_string());
  const std::string target = text_of(message.target());
  const std::size_t question = target.find('?');
  request.path = target.substr(0, question);
  if (question != std::string::npos) request.query = target.substr(question + 1);
  for (const auto& field : message) request.headers.emplace_back(text_of(field.name_string()), text_of(field.value()));
  request.body = std::move(message.body());
  return request;
}

// The words of an error go into our own JSON: they hold no quotes.
std::string error_body(const std::string& reason) { return "{\"error\":\"" + reason + "\"}\n"; }

}  // namespace

Connection::Connection(std::uint64_t id, boost::asio::ip::tcp::socket socket, ConnectionContext& context)
    : id_(id),
      context_(context),
      executor_(socket.get_executor()),
      stream_(std::move(socket)),
      buffer_(context.options.header_bytes_max + context.options.body_bytes_max) {}

void Connection::read_header() {
  state_ = buffer_.size() > 0 ? State::reading : State::idle;
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(context_.options.header_bytes_max));
  parser_->body_limit(context_.options.body_bytes_max);
  stream_.expires_after(context_.options.read_timeout);
  bhttp::async_read_header(
      stream_, buffer_, *parser_,
      [self = shared_from_this()](beast::error_code error, std::size_t) { self->on_header(error); });
}

void Connection::on_header(beast::error_code error) {
  if (state_ == State::closed) return;
  if (error) return on_read_error(error);
  state_ = State::reading;
  const bool asks = beast::iequals(parser_->get()[bhttp::field::expect], "100-continue");
  if (asks && !parser_->is_done()) return continue_body();
  read_body();
}

void Connection::continue_body() {
  message_ = std::make_shared<Message>(bhttp::status::continue_, 11);
  bhttp::async_write(stream_, *message_, [self = shared_from_this()](beast::error_code error, std::size_t) {
    if (error) return self->close();
    self->read_body();
  });
}

void Connection::read_body() {
  if (state_ == State::closed) return;
  bhttp::async_read(stream_, buffer_, *parser_,
                    [self = shared_from_this()](beast::error_code error, std::size_t) { self->on_request(error); });
}

void Connection::on_request(beast::error_code error) {
  if (state_ == State::closed) return;
  if (error) return on_read_error(error);
  state_ = State::handling;
  keep_alive_ = parser_->get().keep_alive();
  head_ = parser_->get().method() == bhttp::verb::head;
  // While the handler decides, no clock runs against the peer.
  stream_.expires_never();
  hand_over();
}

void Connection::hand_over() {
  context_.counters.requests++;
  try {
    context_.handler(to_request(parser_->release()), Respond(weak_from_this()));
  } catch (const std::exception& error) {
    // The Respond that the handler was given has been dropped by now and has answered 500.
    context_.log->error("the HTTP handler failed: {}", error.what());
  }
}

void Connection::on_read_error(beast::error_code error) {
  if (error == bhttp::error::body_limit) {
    return refuse(413, "the body is larger than " + std::to_string(context_.options.body_bytes_max) + " bytes");
  }
  if (error == bhttp::error::header_limit || error == bhttp::error::buffer_overflow) {
    return refuse(431, "the header is larger than " + std::to_string(context_.options.header_bytes_max) + " bytes");
  }
  if (error == beast::error::timeout) return close();
  // A connection may end between two requests; within one, whoever cut it reads no answer any more.
  if (error == bhttp::error::end_of_stream || error == bhttp::error::partial_message) return close();
  if (error.category() == bhttp::make_error_code(bhttp::error::bad_method).category()) {
    return refuse(400, "the request is not HTTP/1.1: " + error.message());
  }
  close();
}

void Connection::refuse(unsigned status, const std::string& reason) {
  context_.counters.malformed++;
  keep_alive_ = false;
  write({status, error_body(reason), "application/json", {}});
}

void Connection::respond(Response response) {
  boost::asio::dispatch(executor_, [weak = weak_from_this(), response = std::move(response)]() mutable {
    const auto self = weak.lock();
    if (self && self->state_ == State::handling) self->write(std::move(response));
  });
}

void Connection::write(Response response) {
  state_ = State::writing;
  const bool keep_alive = keep_alive_ && !draining_;
  message_ = std::make_shared<Message>(static_cast<bhttp::status>(response.status), 11);
  message_->set(bhttp::field::content_type, response.content_type);
  for (const auto& [name, value] : response.headers) message_->insert(name, value);
  message_->body() = std::move(response.body);
  message_->keep_alive(keep_alive);
  message_->prepare_payload();
  if (head_) message_->body().clear();  // its length is told all the same
  stream_.expires_after(context_.options.write_timeout);
  bhttp::async_write(stream_, *message_, [self = shared_from_this(), keep_alive](beast::error_code error, std::size_t) {
    self->on_written(error, keep_alive);
  });
}

void Connection::on_written(beast::error_code error, bool keep_alive) {
  if (state_ == State::closed) return;
  if (error) return close();
  if (keep_alive && !draining_) return read_header();
  linger();
}

void Connection::linger() {
  state_ = State::lingering;
  beast::error_code error;
  stream_.socket().shutdown(boost::asio::ip::tcp::socket::shutdown_send, error);
  if (error) return close();
  stream_.expires_after(linger_time);
  discard();
}

void Connection::discard() {
  buffer_.clear();
  stream_.async_read_some(buffer_.prepare(buffer_.max_size()),
                          [self = shared_from_this()](beast::error_code error, std::size_t) {
                            if (error) return self->close();
                            if (self->state_ == State::lingering) self->discard();
                          });
}

void Connection::drain() {
  draining_ = true;
  if (state_ == State::idle) close();
}

void Connection::close() {
  if (state_ == State::closed) return;
  state_ = State::closed;
  stream_.close();
  context_.forget(id_);
}

}  // namespace bobbin::http
