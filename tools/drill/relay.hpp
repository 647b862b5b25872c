// Stands between the gateway and its application, and can hand on each answer twice.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <memory>

namespace bobbin::drill {

// Everything runs on the io_context's single thread.
class Relay {
 public:
  // Listens on a free port of the loopback; every connection goes on to that other port of it.
  Relay(boost::asio::io_context& io, std::uint16_t to);

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  // From now on all that comes back goes to the gateway twice in a row.
  void answer_twice(bool twice) { *twice_ = twice; }
  std::uint64_t doubled() const { return *doubled_; }

 private:
  void accept();

  boost::asio::io_context& io_;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::ip::tcp::endpoint target_;
  std::shared_ptr<bool> twice_ = std::make_shared<bool>(false);  // its connections' as well, which may outlive it
  std::shared_ptr<std::uint64_t> doubled_ = std::make_shared<std::uint64_t>(0);
};

}  // namespace bobbin::drill
