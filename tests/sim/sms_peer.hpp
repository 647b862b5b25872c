// A model of the peers that hand messages to the gateway: they repeat what is not answered, on the same session after a
// while, or on a new one when theirs has gone; and every text of theirs is like no other, so that it can be counted.
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
  // Every accepted message stands in the log once, and every answer names its place.
  void check_log();
  // Positions, as texts, of all messages that were answered.
  std::vector<std::string> accepted() const;

 private:
  class Session;
  enum class State { unsent, unanswered, accepted };
  struct Message {
    std::string from, to, text;
    std::optional<std::uint16_t> reference;
    State state = State::unsent;
    Duration sent_at{};
    std::string id;
  };
  void send(std::size_t index);
  void answered(std::size_t index, smpp::Status status, const std::string& id);

  World& world_;
  Verdict& verdict_;
  Trace& trace_;
  gateway::Intake* intake_ = nullptr;
  std::shared_ptr<Session> session_;
  std::uint64_t sessions_ = 0;
  std::vector<Message> messages_;
};

}  // namespace bobbin::sim
