// A model of the peers that hand messages to the gateway, by SMPP and HTTP: they repeat what is not answered, on the
// same session after a while, or on a new one when theirs has gone. Every text is like no other, but for some that are
// sent anew on purpose once S30 calls them two messages; so it can be counted how often each must stand in the log.
#pragma once

#include "tests/sim/world.hpp"
#include "tools/gateway/intake.hpp"

#include <deque>

namespace bobbin::sim {

class SmsPeer {
 public:
  SmsPeer(World& world, Verdict& verdict, Trace& trace);
  ~SmsPeer();

  // The gateway lives: messages go to it. Or it has gone, with the session.
  void connect(gateway::Intake& intake);
  void disconnect();
  // The session ends while the gateway lives; a new one follows.
  void lose_session();

  void send_new(Random& random);
  // What has been unanswered for as long as peers wait is sent again; what was refused, too.
  void repeat();

  bool all_accepted() const;
  // Every accepted message stands in the log once.
  void check_log();
  // Positions, as texts, of all messages that were answered.
  std::vector<std::string> accepted() const;

 private:
  class Session;
  class HttpCall;
  enum class State {
    unsent,
    unanswered,
    accepted,
    given_up,  // it has no name to be repeated under: perhaps accepted
  };
  enum class Way { smpp, http, http_unnamed };
  struct Message {
    Way way = Way::smpp;
    std::string from, to, text;
    std::optional<std::uint16_t> reference;
    std::optional<smpp::PartInfo> part;
    State state = State::unsent;
    Duration sent_at{};
    int outstanding = 0;  // submissions on the living session that were not answered
    std::string id;
    Duration answered_at{};  // last
    bool cut_off = false;    // it was accepted, and still an equal text may be taken for it
  };
  Message drawn(Random& random) const;
  // An equal text that S30 calls another message.
  std::optional<Message> drawn_anew(Random& random) const;
  void send(std::size_t index);
  void submit(std::size_t index);
  void post(std::size_t index);
  void accepted_as(std::size_t index, const std::string& id);
  void refused(std::size_t index);
  // Neither another answer to it is on its way, nor may one be lost any more.
  static bool settled(const Message& message, Duration now);
  void answered(std::size_t index, smpp::Status status, const std::string& id);
  void answered(std::size_t index, const http::Response& response);

  World& world_;
  Verdict& verdict_;
  Trace& trace_;
  gateway::Intake* intake_ = nullptr;
  std::shared_ptr<Session> session_;
  std::uint64_t sessions_ = 0;
  std::vector<std::shared_ptr<HttpCall>> calls_;  // to the living gateway
  std::vector<Message> messages_;
};

}  // namespace bobbin::sim
