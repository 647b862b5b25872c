#include "tools/http/server.hpp"

#include "tools/http/connection.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/string.hpp>

#include <system_error>
#include <unordered_map>

namespace bobbin::http {

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
                            "cannot listen for HTTP on " + options.address + " port " + std::to_string(options.port));
  }
}

}  // namespace

std::string_view Request::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (boost::beast::iequals({key.data(), key.size()}, {name.data(), name.size()})) return value;
  }
  return {};
}

Respond::Respond(std::weak_ptr<ResponseTarget> target) : target_(std::move(target)) {}

Respond::Respond(Respond&& other) noexcept = default;

Respond& Respond::operator=(Respond&& other) noexcept {
  if (this == &other) return *this;
  drop();
  target_ = std::move(other.target_);
  return *this;
}

Respond::~Respond() { drop(); }

void Respond::operator()(Response response) {
  const auto target = target_.lock();
  target_.reset();
  if (target) target->respond(std::move(response));
}

void Respond::drop() noexcept {
  const auto target = target_.lock();
  target_.reset();
  if (target) target->respond({500, "{\"error\":\"the request was not answered\"}\n", "application/json", {}});
}

class Server::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::io_context& io, ServerOptions options, Handler handler, std::shared_ptr<spdlog::logger> log)
      : options_(std::move(options)),
        handler_(std::move(handler)),
        log_(std::move(log)),
        context_{options_, handler_, counters_, log_, [this](std::uint64_t id) { forget(id); }},
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
  void pause_accepting(const std::string& reason);
  void forget(std::uint64_t id);
  void report_drained();
  template <typename Visit>
  void for_each_connection(Visit visit);

  ServerOptions options_;
  Handler handler_;
  std::shared_ptr<spdlog::logger> log_;
  ServerCounters counters_;
  ConnectionContext context_;
  tcp::acceptor acceptor_;
  asio::steady_timer timer_;
  std::uint16_t port_;
  bool accepting_ = false;
  std::uint64_t last_id_ = 0;
  std::unordered_map<std::uint64_t, std::shared_ptr<Connection>> connections_;
  std::function<void()> drained_;
};

void Server::Impl::accept() {
  if (accepting_ || !acceptor_.is_open() || connections_.size() >= options_.connections_max) return;
  accepting_ = true;
  acceptor_.async_accept([weak = weak_from_this()](boost::system::error_code error, tcp::socket socket) {
    if (const auto self = weak.lock()) self->on_accept(error, std::move(socket));
  });
}

void Server::Impl::on_accept(boost::system::error_code error, tcp::socket socket) {
  accepting_ = false;
  if (!acceptor_.is_open()) return;
  if (error) return pause_accepting(error.message());
  const std::uint64_t id = ++last_id_;
  const auto connection = std::make_shared<Connection>(id, std::move(socket), context_);
  connections_.emplace(id, connection);
  counters_.connections = connections_.size();
  connection->start();
  accept();
}

void Server::Impl::pause_accepting(const std::string& reason) {
  log_->warn("accepting an HTTP connection failed: {}", reason);
  timer_.expires_after(accept_pause);
  timer_.async_wait([weak = weak_from_this()](boost::system::error_code cancelled) {
    const auto self = weak.lock();
    if (!cancelled && self) self->accept();
  });
}

void Server::Impl::forget(std::uint64_t id) {
  connections_.erase(id);
  counters_.connections = connections_.size();
  accept();
  report_drained();
}

void Server::Impl::report_drained() {
  if (!drained_ || !connections_.empty()) return;
  timer_.cancel();
  // Posted, because the caller may destroy the server in it.
  asio::post(acceptor_.get_executor(), std::exchange(drained_, nullptr));
}

// Connections may leave the table while it is visited.
template <typename Visit>
void Server::Impl::for_each_connection(Visit visit) {
  const auto connections = connections_;
  for (const auto& [id, connection] : connections) visit(*connection);
}

void Server::Impl::drain(std::chrono::milliseconds deadline, std::function<void()> done) {
  drained_ = std::move(done);
  acceptor_.close();
  for_each_connection([](Connection& connection) { connection.drain(); });
  timer_.expires_after(deadline);
  timer_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
    const auto self = weak.lock();
    if (!error && self) self->for_each_connection([](Connection& connection) { connection.close(); });
  });
  report_drained();
}

void Server::Impl::stop() {
  drained_ = nullptr;
  boost::system::error_code ignored;  // both are given up whatever comes of it
  acceptor_.close(ignored);
  timer_.cancel(ignored);
  for_each_connection([](Connection& connection) { connection.close(); });
}

Server::Server(asio::io_context& io, ServerOptions options, Handler handler, std::shared_ptr<spdlog::logger> log)
    : impl_(std::make_shared<Impl>(io, std::move(options), std::move(handler), std::move(log))) {
  impl_->accept();
}

Server::~Server() { impl_->stop(); }

std::uint16_t Server::port() const { return impl_->port(); }
const ServerCounters& Server::counters() const { return impl_->counters(); }
void Server::drain(std::chrono::milliseconds deadline, std::function<void()> done) {
  impl_->drain(deadline, std::move(done));
}

}  // namespace bobbin::http
