// One peer of the server: who it is, what it may do, and which of its submits are unanswered. Internal to tools/smpp.
#pragma once

#include "tools/smpp/link.hpp"
#include "tools/smpp/server.hpp"

#include <spdlog/logger.h>

#include <memory>
#include <string>

namespace bobbin::smpp {

// What sessions share; the server owns it and outlives every session that is not closed.
struct SessionContext {
  const ServerOptions& options;
  SubmitHandler& handler;
  ServerCounters& counters;
  std::shared_ptr<spdlog::logger> log;
  std::function<void(SessionId)> forget;  // the session is closed
};

class Session : public LinkOwner, public ReplyTarget, public std::enable_shared_from_this<Session> {
 public:
  Session(SessionId id, boost::asio::ip::tcp::socket socket, SessionContext& context);

  void start();
  // Unbinds as soon as nothing is outstanding.
  void drain();
  // Ends at once.
  void close(const std::string& reason) { link_->close(reason); }

  void reply(std::uint32_t sequence, Status status, const std::string& message_id) override;

 private:
  enum class State { unbound, receiver, sender, unbinding, closed };

  void on_pdu(const Pdu& pdu) override;
  void on_bad_length(const Header& header) override;
  void on_link_closed(const std::string& reason) override;

  void on_bind(const Pdu& pdu);
  Status authenticate(const Bind& bind) const;
  void refuse_bind(const Pdu& pdu, Status status, std::string_view system_id);
  void on_submit(const Pdu& pdu);
  Status admit(const Pdu& pdu, SubmitSm& submit, UserData& user_data);
  void hand_over(const Pdu& pdu, const SubmitSm& submit, const UserData& user_data);
  void on_unbind(const Pdu& pdu);
  void nack(const Header& header, Status status);
  void answer(std::uint32_t sequence, Status status, const std::string& message_id);
  void leave_if_answered();

  SessionId id_;
  SessionContext& context_;
  boost::asio::any_io_executor executor_;
  std::shared_ptr<Link> link_;
  boost::asio::steady_timer bind_timer_;
  State state_ = State::unbound;
  std::string account_;
  std::size_t outstanding_ = 0;
  bool draining_ = false;
  bool unbind_asked_ = false;  // by the peer
  std::uint32_t unbind_sequence_ = 0;
};

}  // namespace bobbin::smpp
