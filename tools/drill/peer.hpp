// An SMPP client as a real peer behaves: after a loss it connects again and repeats what was not answered.
#pragma once

#include "tools/drill/journal.hpp"
#include "tools/smpp/client.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>

namespace bobbin::drill {

// Everything runs on the io_context's single thread.
class Peer {
 public:
  // `port` answers where the gateway listens now, 0 while it does not.
  Peer(boost::asio::io_context& io, std::function<std::uint16_t()> port);

  // Connects, and goes on doing so.
  void start();
  // Sends it as soon as a connection allows, until it is acknowledged. A message that was acknowledged before is
  // repeated. The message must outlive the peer.
  void send(SentMessage& message);
  // Called at each message's first acknowledgement.
  void on_acknowledged(std::function<void(const SentMessage&)> tell) { tell_acknowledged_ = std::move(tell); }

  std::size_t unsettled() const { return backlog_.size() + refused_.size() + in_flight_; }
  // Answers "come again, my queue is full".
  std::uint64_t refusals() const { return refusals_; }
  std::uint64_t losses() const { return losses_; }
  bool bound() const { return client_ && client_->bound(); }

 private:
  void connect_soon();
  void connect();
  void pump();
  void repeat_refused_soon();
  void on_result(SentMessage& message, const smpp::SubmitResult& result);
  void acknowledge(SentMessage& message, const std::string& id);

  boost::asio::io_context& io_;
  std::function<std::uint16_t()> port_;
  std::function<void(const SentMessage&)> tell_acknowledged_;
  boost::asio::steady_timer timer_;
  std::unique_ptr<smpp::Client> client_;
  std::deque<SentMessage*> backlog_;
  boost::asio::steady_timer refused_timer_;
  std::deque<SentMessage*> refused_;  // to be repeated a moment later
  std::size_t in_flight_ = 0;
  std::uint64_t losses_ = 0;
  std::uint64_t refusals_ = 0;
};

}  // namespace bobbin::drill
