#include "tools/smpp/server.hpp"

#include "tools/smpp/session.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <sodium.h>

#include <stdexcept>
#include <unordered_map>

namespace bobbin::smpp {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

// After a failed accept (no descriptors left, mostly): trying again at once would only burn the processor.
constexpr std::chrono::milliseconds accept_pause{100};

tcp::acceptor listen(asio::io_context& io, const ServerOptions& options) {
  try {
    return tcp::acceptor(io, {asio::ip::make_address(options.address), options.port});
  } catch (const boost::system::system_error& error) {
    throw std::system_error(error.code().value(), std::system_category(),
                            "cannot listen for SMPP on " + options.address + " port " + std::to_string(options.port));
  }
}

}  // namespace

Reply::Reply(std::weak_ptr<ReplyTarget> target, std::uint32_t sequence)
    : target_(std::move(target)), sequence_(sequence) {}

Reply::Reply(Reply&& other) noexcept = default;

Reply& Reply::operator=(Reply&& other) noexcept {
  if (this == &other) return *this;
  drop();
  target_ = std::move(other.target_);
  sequence_ = other.sequence_;
  return *this;
}

Reply::~Reply() { drop(); }

void Reply::operator()(Status status, const std::string& message_id) {
  // Checked here, on the caller's side, where the mistake is.
  if (message_id.size() >= message_id_size_max || message_id.find('\0') != std::string::npos) {
    throw std::invalid_argument("message id has " + std::to_string(message_id.size()) + " bytes; at most 64 fit");
  }
  const auto target = target_.lock();
  target_.reset();
  if (target) target->reply(sequence_, status, message_id);
}

void Reply::drop() noexcept {
  const auto target = target_.lock();
  target_.reset();
  if (target) target->reply(sequence_, Status::system_error, {});
}

class Server::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::io_context& io, ServerOptions options, SubmitHandler& handler, std::shared_ptr<spdlog::logger> log)
      : options_(std::move(options)),
        log_(std::move(log)),
        context_{options_, handler, counters_, log_, [this](SessionId id) { forget(id); }},
        acceptor_(listen(io, options_)),
        timer_(io),
        port_(acceptor_.local_endpoint().port()) {}

  void accept();
  void drain(std::chrono::milliseconds deadline, std::function<void()> done);
  void stop();

  std::uint16_t port() const { return port_; }
  const ServerCounters& counters() const { return counters_; }

 private:
  void on_accept(boost::system::error_code error, tcp::socket socket);
  void add_session(tcp::socket socket);
  void forget(SessionId id);
  void report_drained();
  void close_all(const std::string& reason);
  template <typename Visit>
  void for_each_session(Visit visit);

  ServerOptions options_;
  std::shared_ptr<spdlog::logger> log_;
  ServerCounters counters_;
  SessionContext context_;
  tcp::acceptor acceptor_;
  asio::steady_timer timer_;
  std::uint16_t port_;
  SessionId last_session_ = 0;
  std::unordered_map<SessionId, std::shared_ptr<Session>> sessions_;
  std::function<void()> drained_;
};

void Server::Impl::accept() {
  acceptor_.async_accept([weak = weak_from_this()](boost::system::error_code error, tcp::socket socket) {
    if (const auto self = weak.lock()) self->on_accept(error, std::move(socket));
  });
}

void Server::Impl::on_accept(boost::system::error_code error, tcp::socket socket) {
  if (!acceptor_.is_open()) return;
  if (!error) {
    add_session(std::move(socket));
    return accept();
  }
  log_->warn("accepting an SMPP connection failed: {}", error.message());
  timer_.expires_after(accept_pause);
  timer_.async_wait([weak = weak_from_this()](boost::system::error_code cancelled) {
    const auto self = weak.lock();
    if (!cancelled && self && self->acceptor_.is_open()) self->accept();
  });
}

void Server::Impl::add_session(tcp::socket socket) {
  counters_.connections++;
  if (sessions_.size() >= options_.sessions_max) {
    counters_.refused_connections++;
    log_->warn("SMPP connection refused: {} sessions are open, the most allowed", sessions_.size());
    return;
  }
  const SessionId id = ++last_session_;
  const auto session = std::make_shared<Session>(id, std::move(socket), context_);
  sessions_.emplace(id, session);
  counters_.sessions = sessions_.size();
  session->start();
}

void Server::Impl::forget(SessionId id) {
  sessions_.erase(id);
  counters_.sessions = sessions_.size();
  report_drained();
}

void Server::Impl::report_drained() {
  if (!drained_ || !sessions_.empty()) return;
  timer_.cancel();
  // Posted, because the caller may destroy the server in it.
  asio::post(acceptor_.get_executor(), std::exchange(drained_, nullptr));
}

// Sessions may leave the table while it is visited.
template <typename Visit>
void Server::Impl::for_each_session(Visit visit) {
  const auto sessions = sessions_;
  for (const auto& [id, session] : sessions) visit(*session);
}

void Server::Impl::drain(std::chrono::milliseconds deadline, std::function<void()> done) {
  drained_ = std::move(done);
  acceptor_.close();
  for_each_session([](Session& session) { session.drain(); });
  timer_.expires_after(deadline);
  timer_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
    const auto self = weak.lock();
    if (!error && self) self->close_all("not drained within the deadline");
  });
  report_drained();
}

void Server::Impl::close_all(const std::string& reason) {
  for_each_session([&reason](Session& session) { session.close(reason); });
}

void Server::Impl::stop() {
  drained_ = nullptr;
  boost::system::error_code ignored;  // both are given up whatever comes of it
  acceptor_.close(ignored);
  timer_.cancel(ignored);
  close_all("the server stops");
}

Server::Server(asio::io_context& io, ServerOptions options, SubmitHandler& handler,
               std::shared_ptr<spdlog::logger> log) {
  if (sodium_init() < 0) throw std::runtime_error("libsodium cannot be initialised");
  impl_ = std::make_shared<Impl>(io, std::move(options), handler, std::move(log));
  impl_->accept();
}

Server::~Server() { impl_->stop(); }

std::uint16_t Server::port() const { return impl_->port(); }
const ServerCounters& Server::counters() const { return impl_->counters(); }
void Server::drain(std::chrono::milliseconds deadline, std::function<void()> done) {
  impl_->drain(deadline, std::move(done));
}

}  // namespace bobbin::smpp
