// One TCP connection that carries SMPP: framing, bounded writing, and the enquire_link watch. Server sessions and the
// client stand on it. Everything runs on the io_context's single thread.
#pragma once

#include "tools/smpp/frame.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

namespace bobbin::smpp {

struct LinkOptions {
  std::size_t pdu_bytes_max = 16 * 1024;
  std::size_t unsent_bytes_max = 256 * 1024;      // beyond it nothing more is read from the peer
  std::chrono::milliseconds idle{30'000};         // silence after which enquire_link is sent
  std::chrono::milliseconds answer_time{10'000};  // silence after that which ends the link
};

class LinkOwner {
 public:
  virtual ~LinkOwner() = default;
  // Each PDU but enquire_link and its response, which the link handles. The body is valid during the call.
  virtual void on_pdu(const Pdu& pdu) = 0;
  // A length that cannot be followed; the owner ends the link.
  virtual void on_bad_length(const Header& header) = 0;
  // Once, when the connection is gone for whatever reason.
  virtual void on_link_closed(const std::string& reason) = 0;
};

class Link : public std::enable_shared_from_this<Link> {
 public:
  Link(boost::asio::ip::tcp::socket socket, const LinkOptions& options);

  // Starts to read. The owner is called as long as it lives. With `watch_idle` false no enquire_link is sent until
  // watch_idle() is called.
  void start(std::weak_ptr<LinkOwner> owner);
  void watch_idle();

  // Append one encoded PDU to this, then call flush().
  std::string& out() { return pending_; }
  void flush();

  // Ends at once; what is not written is lost. The owner hears of it before this returns.
  void close(const std::string& reason);
  // Reads no more PDUs, writes what is pending, says goodbye to the peer, and closes.
  void finish(const std::string& reason);

  // True from close() or finish() on.
  bool ending() const { return state_ != State::open; }

  // Bytes given to the socket so far, on their way or not. A PDU that began at or after this offset has not left; the
  // next PDU begins at handed_bytes() + out().size().
  std::uint64_t handed_bytes() const { return handed_bytes_; }

 private:
  enum class State { open, finishing, lingering, closed };

  void read();
  void on_read(std::size_t count);
  void take_pdus();
  void handle(const Pdu& pdu);
  void write();
  void on_written();
  void linger();
  void discard();
  std::size_t unsent_bytes() const { return pending_.size() + writing_.size(); }
  void arm_idle(std::chrono::steady_clock::time_point at);
  void on_idle_timer();

  LinkOptions options_;
  boost::asio::ip::tcp::socket socket_;
  boost::asio::steady_timer timer_;
  FrameBuffer frames_;
  std::weak_ptr<LinkOwner> owner_;
  std::string pending_;
  std::string writing_;
  std::uint64_t handed_bytes_ = 0;
  std::string ending_reason_;
  State state_ = State::open;
  bool reading_ = false;
  bool taking_ = false;
  bool watching_ = false;
  bool probing_ = false;
  std::uint32_t probe_sequence_ = 0;
  std::chrono::steady_clock::time_point last_heard_;
};

}  // namespace bobbin::smpp
