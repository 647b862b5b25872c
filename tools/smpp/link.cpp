#include "tools/smpp/link.hpp"

#include "tools/smpp/encode.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

namespace bobbin::smpp {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

namespace {

// How long a finished link waits for the peer to hang up. Closing with unread bytes would reset the connection and
// could destroy the last answer on its way.
constexpr std::chrono::seconds linger_time{2};

// The watch's own sequence numbers: far from those that a client counts up from 1.
constexpr std::uint32_t first_probe_sequence = 0x40000000;
constexpr std::uint32_t sequence_max = 0x7FFFFFFF;

}  // namespace

Link::Link(asio::ip::tcp::socket socket, const LinkOptions& options)
    : options_(options),
      socket_(std::move(socket)),
      timer_(socket_.get_executor()),
      frames_(options.pdu_bytes_max),
      probe_sequence_(first_probe_sequence),
      last_heard_(Clock::now()) {}

void Link::start(std::weak_ptr<LinkOwner> owner) {
  owner_ = std::move(owner);
  boost::system::error_code ignored;  // a socket that cannot take the option works, only slower
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  read();
}

void Link::read() {
  if (state_ != State::open || reading_ || unsent_bytes() > options_.unsent_bytes_max) return;
  reading_ = true;
  const auto room = frames_.writable();
  socket_.async_read_some(asio::buffer(room.data(), room.size()),
                          [self = shared_from_this()](boost::system::error_code error, std::size_t count) {
                            self->reading_ = false;
                            if (error) return self->close("connection lost: " + error.message());
                            self->on_read(count);
                          });
}

void Link::on_read(std::size_t count) {
  if (state_ == State::closed) return;
  last_heard_ = Clock::now();
  probing_ = false;
  if (state_ != State::open) return discard();
  frames_.commit(count);
  take_pdus();
  read();
}

void Link::take_pdus() {
  taking_ = true;
  Pdu pdu;
  auto result = FrameBuffer::Result::need_more;
  while (state_ == State::open && (result = frames_.next(pdu)) == FrameBuffer::Result::pdu) handle(pdu);
  if (state_ == State::open && result == FrameBuffer::Result::bad_length) {
    if (const auto owner = owner_.lock()) owner->on_bad_length(pdu.header);
  }
  taking_ = false;
  flush();
}

void Link::handle(const Pdu& pdu) {
  if (pdu.header.command == Command::enquire_link) {
    append_header_only(pending_, Command::enquire_link_resp, Status::ok, pdu.header.sequence);
  } else if (pdu.header.command != Command::enquire_link_resp) {
    if (const auto owner = owner_.lock()) owner->on_pdu(pdu);
  }
}

// Answers to a burst that was read in one go leave in one go.
void Link::flush() {
  if (!taking_ && writing_.empty() && !pending_.empty()) write();
}

void Link::write() {
  if (state_ == State::closed || state_ == State::lingering) return;
  std::swap(writing_, pending_);
  handed_bytes_ += writing_.size();
  asio::async_write(socket_, asio::buffer(writing_),
                    [self = shared_from_this()](boost::system::error_code error, std::size_t) {
                      if (error) return self->close("connection lost: " + error.message());
                      self->on_written();
                    });
}

void Link::on_written() {
  writing_.clear();
  if (!pending_.empty()) return write();
  if (state_ == State::finishing) return linger();
  read();
}

void Link::finish(const std::string& reason) {
  if (state_ != State::open) return;
  state_ = State::finishing;
  ending_reason_ = reason;
  timer_.expires_after(linger_time);
  timer_.async_wait([self = shared_from_this()](boost::system::error_code error) {
    if (!error) self->close(self->ending_reason_);
  });
  if (writing_.empty() && pending_.empty()) return linger();
  flush();
}

void Link::linger() {
  if (state_ != State::finishing) return;
  state_ = State::lingering;
  boost::system::error_code error;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, error);
  if (error) return close(ending_reason_);
  discard();
}

// Reads and forgets until the peer hangs up.
void Link::discard() {
  if (reading_ || state_ != State::lingering) return;
  reading_ = true;
  const auto room = frames_.writable();
  socket_.async_read_some(asio::buffer(room.data(), room.size()),
                          [self = shared_from_this()](boost::system::error_code error, std::size_t) {
                            self->reading_ = false;
                            if (error) return self->close(self->ending_reason_);
                            self->discard();
                          });
}

void Link::close(const std::string& reason) {
  if (state_ == State::closed) return;
  const std::string why = state_ == State::open ? reason : ending_reason_;
  state_ = State::closed;
  boost::system::error_code ignored;  // the socket is given up whatever close says
  socket_.close(ignored);
  timer_.cancel(ignored);
  if (const auto owner = owner_.lock()) owner->on_link_closed(why);
}

void Link::watch_idle() {
  watching_ = true;
  arm_idle(last_heard_ + options_.idle);
}

void Link::arm_idle(Clock::time_point at) {
  timer_.expires_at(at);
  timer_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
    const auto self = weak.lock();
    if (!error && self) self->on_idle_timer();
  });
}

void Link::on_idle_timer() {
  if (state_ != State::open) return;
  const auto now = Clock::now();
  if (now < last_heard_ + options_.idle) return arm_idle(last_heard_ + options_.idle);
  if (probing_) return close("no answer to enquire_link");
  probing_ = true;
  append_header_only(pending_, Command::enquire_link, Status::ok, probe_sequence_);
  probe_sequence_ = probe_sequence_ == sequence_max ? first_probe_sequence : probe_sequence_ + 1;
  flush();
  arm_idle(now + options_.answer_time);
}

}  // namespace bobbin::smpp
