#include "tools/smpp/client.hpp"

#include "tools/smpp/encode.hpp"
#include "tools/smpp/link.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <deque>
#include <map>

namespace bobbin::smpp {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr std::uint32_t bind_sequence = 1;
// Submits count from here up to below the link's own enquire_link numbers.
constexpr std::uint32_t first_sequence = 2;
constexpr std::uint32_t last_sequence = 0x3FFFFFFF;

struct Waiting {
  std::uint32_t sequence = 0;
  std::string pdu;
  std::function<void(const SubmitResult&)> done;
};

struct Sent {
  std::uint64_t offset = 0;  // where its PDU began in the stream of this connection
  std::function<void(const SubmitResult&)> done;
};

LinkOptions link_options(const ClientOptions& options) {
  LinkOptions link;
  link.pdu_bytes_max = options.pdu_bytes_max;
  link.idle = options.enquire_interval;
  link.answer_time = options.enquire_timeout;
  return link;
}

}  // namespace

class Client::Impl : public LinkOwner, public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::io_context& io, ClientOptions options)
      : options_(std::move(options)), executor_(io.get_executor()), timer_(io) {}

  void connect(std::function<void(const BindResult&)> done, std::function<void(const Lost&)> on_lost);
  std::uint32_t submit(const SubmitSm& submit, std::function<void(const SubmitResult&)> done);
  void unbind(std::function<void()> done);
  void abort(const std::string& reason);
  void forget();

  std::size_t in_flight() const { return sent_.size(); }
  std::size_t waiting() const { return waiting_.size(); }
  bool bound() const { return state_ == State::bound; }

 private:
  enum class State { idle, connecting, binding, bound, closed };

  void on_pdu(const Pdu& pdu) override;
  void on_bad_length(const Header& header) override;
  void on_link_closed(const std::string& reason) override;

  void start_bind_timer();
  void on_connected(const std::shared_ptr<tcp::socket>& socket, boost::system::error_code error);
  void send_bind();
  void on_bind_resp(const Pdu& pdu);
  void on_submit_resp(const Pdu& pdu);
  void on_peer_unbind(const Pdu& pdu);
  void send_waiting();
  void send_unbind_if_answered();
  void fail_bind(const std::string& reason);
  Lost settle(const std::string& reason);
  void report_end(const std::string& reason);

  ClientOptions options_;
  asio::any_io_executor executor_;
  asio::steady_timer timer_;
  std::shared_ptr<tcp::socket> connecting_;
  std::shared_ptr<Link> link_;
  State state_ = State::idle;
  bool unbind_sent_ = false;
  bool unbind_answered_ = false;
  std::uint32_t next_sequence_ = first_sequence;
  std::deque<Waiting> waiting_;
  std::map<std::uint32_t, Sent> sent_;
  std::function<void(const BindResult&)> bind_done_;
  std::function<void(const Lost&)> on_lost_;
  std::function<void()> unbind_done_;
};

void Client::Impl::connect(std::function<void(const BindResult&)> done, std::function<void(const Lost&)> on_lost) {
  bind_done_ = std::move(done);
  on_lost_ = std::move(on_lost);
  state_ = State::connecting;
  start_bind_timer();
  boost::system::error_code error;
  const auto address = asio::ip::make_address(options_.host, error);
  auto socket = std::make_shared<tcp::socket>(executor_);
  connecting_ = socket;
  if (error) {
    asio::post(executor_, [self = shared_from_this(), socket, error] { self->on_connected(socket, error); });
    return;
  }
  socket->async_connect({address, options_.port}, [weak = weak_from_this(), socket](boost::system::error_code result) {
    if (const auto self = weak.lock()) self->on_connected(socket, result);
  });
}

void Client::Impl::start_bind_timer() {
  timer_.expires_after(options_.bind_timeout);
  timer_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
    const auto self = weak.lock();
    if (!error && self) self->abort("no answer to the bind within the bind timeout");
  });
}

void Client::Impl::on_connected(const std::shared_ptr<tcp::socket>& socket, boost::system::error_code error) {
  if (state_ != State::connecting) return;
  connecting_.reset();
  if (error) {
    return report_end("cannot connect to " + options_.host + " port " + std::to_string(options_.port) + ": " +
                      error.message());
  }
  link_ = std::make_shared<Link>(std::move(*socket), link_options(options_));
  state_ = State::binding;
  link_->start(weak_from_this());
  send_bind();
}

void Client::Impl::send_bind() {
  Bind bind;
  bind.system_id = options_.system_id;
  bind.password = options_.password;
  try {
    append_bind(link_->out(), options_.bind, bind_sequence, bind);
  } catch (const std::invalid_argument& error) {
    return link_->close(error.what());
  }
  link_->flush();
}

void Client::Impl::on_pdu(const Pdu& pdu) {
  if (pdu.header.command == response_to(options_.bind)) return on_bind_resp(pdu);
  if (pdu.header.command == Command::submit_sm_resp) return on_submit_resp(pdu);
  if (pdu.header.command == Command::unbind) return on_peer_unbind(pdu);
  if (pdu.header.command == Command::unbind_resp) {
    unbind_answered_ = unbind_sent_;
    return link_->finish("unbound");
  }
  // Whatever request was not understood, this connection has lost its meaning.
  if (pdu.header.command == Command::generic_nack) return link_->close("the server sent generic_nack");
  append_header_only(link_->out(), Command::generic_nack, Status::invalid_command_id, pdu.header.sequence);
}

void Client::Impl::on_bad_length(const Header& header) {
  link_->close("the server sent a PDU of " + std::to_string(header.length) + " bytes");
}

void Client::Impl::on_bind_resp(const Pdu& pdu) {
  if (state_ != State::binding) return;
  timer_.cancel();
  BindResult result;
  result.connected = true;
  result.status = pdu.header.status;
  if (result.bound()) {
    state_ = State::bound;
    link_->watch_idle();
    send_waiting();
    send_unbind_if_answered();
  } else {
    result.error = "the server refused the bind with status " + std::to_string(static_cast<unsigned>(result.status));
  }
  if (const auto done = std::exchange(bind_done_, nullptr)) done(result);
  if (!result.bound()) link_->finish(result.error);
}

void Client::Impl::on_submit_resp(const Pdu& pdu) {
  const auto found = sent_.find(pdu.header.sequence);
  if (found == sent_.end()) return;
  SubmitResult result;
  std::string_view message_id;
  // A response that cannot be read answers nothing; the connection is not worth more trust.
  if (decode_submit_sm_resp(pdu.body, message_id) != Status::ok) return link_->close("unreadable submit_sm_resp");
  result.kind = SubmitResult::Kind::answered;
  result.sequence = pdu.header.sequence;
  result.status = pdu.header.status;
  result.message_id = message_id;
  const auto done = std::move(found->second.done);
  sent_.erase(found);
  if (done) done(result);
  send_waiting();
  send_unbind_if_answered();
}

// The server leaves. What is in flight it has answered by now, or it never will.
void Client::Impl::on_peer_unbind(const Pdu& pdu) {
  append_header_only(link_->out(), Command::unbind_resp, Status::ok, pdu.header.sequence);
  link_->finish("the server unbound");
}

std::uint32_t Client::Impl::submit(const SubmitSm& submit, std::function<void(const SubmitResult&)> done) {
  Waiting waiting;
  append_submit_sm(waiting.pdu, next_sequence_, submit);
  waiting.sequence = next_sequence_;
  waiting.done = std::move(done);
  next_sequence_ = next_sequence_ == last_sequence ? first_sequence : next_sequence_ + 1;
  const std::uint32_t sequence = waiting.sequence;
  if (state_ == State::closed || (link_ && link_->ending())) {
    asio::post(executor_, [waiting = std::move(waiting)] {
      if (waiting.done) waiting.done({SubmitResult::Kind::unsent, waiting.sequence, Status::ok, {}});
    });
    return sequence;
  }
  waiting_.push_back(std::move(waiting));
  if (state_ == State::bound) send_waiting();
  return sequence;
}

void Client::Impl::send_waiting() {
  if (!link_ || link_->ending()) return;
  while (!waiting_.empty() && sent_.size() < options_.window) {
    Waiting& next = waiting_.front();
    sent_[next.sequence] = {link_->handed_bytes() + link_->out().size(), std::move(next.done)};
    link_->out() += next.pdu;
    waiting_.pop_front();
  }
  link_->flush();
}

void Client::Impl::unbind(std::function<void()> done) {
  unbind_done_ = std::move(done);
  if (state_ == State::idle || state_ == State::closed) {
    state_ = State::closed;
    asio::post(executor_, std::exchange(unbind_done_, nullptr));
    return;
  }
  send_unbind_if_answered();
}

void Client::Impl::send_unbind_if_answered() {
  if (!unbind_done_ || unbind_sent_ || state_ != State::bound || link_->ending()) return;
  if (!sent_.empty() || !waiting_.empty()) return;
  unbind_sent_ = true;
  append_header_only(link_->out(), Command::unbind, Status::ok, next_sequence_);
  link_->flush();
}

void Client::Impl::abort(const std::string& reason) {
  if (link_) return link_->close(reason);
  if (state_ != State::connecting) return;
  boost::system::error_code ignored;  // the socket is given up whatever close says
  if (connecting_) connecting_->close(ignored);
  report_end(reason);
}

void Client::Impl::on_link_closed(const std::string& reason) { report_end(reason); }

// Everything still open gets its answer, in order, after the caller has returned.
void Client::Impl::report_end(const std::string& reason) {
  if (state_ == State::closed) return;
  const bool was_bound = state_ == State::bound;
  state_ = State::closed;
  timer_.cancel();
  asio::post(executor_, [weak = weak_from_this(), reason, was_bound] {
    const auto self = weak.lock();
    if (!self) return;
    self->fail_bind(reason);
    const Lost lost = self->settle(reason);
    if (was_bound && !self->unbind_answered_ && self->on_lost_) self->on_lost_(lost);
    if (const auto done = std::exchange(self->unbind_done_, nullptr)) done();
  });
}

void Client::Impl::fail_bind(const std::string& reason) {
  BindResult result;
  result.error = reason;
  if (const auto done = std::exchange(bind_done_, nullptr)) done(result);
}

Lost Client::Impl::settle(const std::string& reason) {
  Lost lost{reason, {}, {}};
  const std::uint64_t handed = link_ ? link_->handed_bytes() : 0;
  for (auto& [sequence, sent] : std::exchange(sent_, {})) {
    const bool may_have_left = sent.offset < handed;
    (may_have_left ? lost.unanswered : lost.unsent).push_back(sequence);
    const auto kind = may_have_left ? SubmitResult::Kind::unanswered : SubmitResult::Kind::unsent;
    if (sent.done) sent.done({kind, sequence, Status::ok, {}});
  }
  for (auto& waiting : std::exchange(waiting_, {})) {
    lost.unsent.push_back(waiting.sequence);
    if (waiting.done) waiting.done({SubmitResult::Kind::unsent, waiting.sequence, Status::ok, {}});
  }
  return lost;
}

void Client::Impl::forget() {
  bind_done_ = nullptr;
  on_lost_ = nullptr;
  unbind_done_ = nullptr;
  sent_.clear();
  waiting_.clear();
  state_ = State::closed;
  boost::system::error_code ignored;  // the sockets are given up whatever comes of it
  timer_.cancel(ignored);
  if (connecting_) connecting_->close(ignored);
  if (link_) link_->close("the client was destroyed");
}

Client::Client(asio::io_context& io, ClientOptions options) : impl_(std::make_shared<Impl>(io, std::move(options))) {}

Client::~Client() { impl_->forget(); }

void Client::connect(std::function<void(const BindResult&)> done, std::function<void(const Lost&)> on_lost) {
  impl_->connect(std::move(done), std::move(on_lost));
}

std::uint32_t Client::submit(const SubmitSm& submit, std::function<void(const SubmitResult&)> done) {
  return impl_->submit(submit, std::move(done));
}

void Client::unbind(std::function<void()> done) { impl_->unbind(std::move(done)); }
void Client::abort() { impl_->abort("aborted"); }
std::size_t Client::in_flight() const { return impl_->in_flight(); }
std::size_t Client::waiting() const { return impl_->waiting(); }
bool Client::bound() const { return impl_->bound(); }

}  // namespace bobbin::smpp
