#include "tools/drill/relay.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <string>

namespace bobbin::drill {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// Both directions of one connection, until either side has closed it.
class Relayed : public std::enable_shared_from_this<Relayed> {
 public:
  Relayed(tcp::socket gateway, tcp::socket application, std::shared_ptr<bool> twice,
          std::shared_ptr<std::uint64_t> doubled)
      : gateway_(std::move(gateway)),
        application_(std::move(application)),
        twice_(std::move(twice)),
        doubled_(std::move(doubled)) {}

  void start(const tcp::endpoint& target) {
    application_.async_connect(target, [self = shared_from_this()](const error_code& error) {
      if (error) return self->close();
      self->pump(self->gateway_, self->application_, self->request_, false);
      self->pump(self->application_, self->gateway_, self->answer_, true);
    });
  }

 private:
  using Piece = std::array<char, 16 << 10>;

  void pump(tcp::socket& from, tcp::socket& to, Piece& piece, bool is_answer) {
    from.async_read_some(asio::buffer(piece),
                         [&, is_answer, self = shared_from_this()](const error_code& error, std::size_t size) {
                           if (error) return self->close();
                           self->hand_on(from, to, piece, size, is_answer);
                         });
  }

  // An answer of the drill's application is short, and comes in one piece.
  void hand_on(tcp::socket& from, tcp::socket& to, Piece& piece, std::size_t size, bool is_answer) {
    auto text = std::make_shared<std::string>(piece.data(), size);
    if (is_answer && *twice_) {
      text->append(piece.data(), size);
      ++*doubled_;
    }
    asio::async_write(to, asio::buffer(*text),
                      [&, is_answer, text, self = shared_from_this()](const error_code& error, std::size_t) {
                        if (error) return self->close();
                        self->pump(from, to, piece, is_answer);
                      });
  }

  void close() {
    error_code ignored;  // the other side may have closed it already
    gateway_.close(ignored);
    application_.close(ignored);
  }

  tcp::socket gateway_;
  tcp::socket application_;
  std::shared_ptr<bool> twice_;
  std::shared_ptr<std::uint64_t> doubled_;
  Piece request_;
  Piece answer_;
};

}  // namespace

Relay::Relay(asio::io_context& io, std::uint16_t to)
    : io_(io), acceptor_(io, {asio::ip::address_v4::loopback(), 0}), target_(asio::ip::address_v4::loopback(), to) {
  accept();
}

void Relay::accept() {
  acceptor_.async_accept([this](const error_code& error, tcp::socket socket) {
    if (error) return;
    std::make_shared<Relayed>(std::move(socket), tcp::socket(io_), twice_, doubled_)->start(target_);
    accept();
  });
}

}  // namespace bobbin::drill
