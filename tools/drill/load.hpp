// Messages of many senders, at a steady pace, in pairs now and then. A function of its seed and of what it is asked.
#pragma once

#include "tools/drill/dice.hpp"
#include "tools/drill/stage.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace bobbin::drill {

struct LoadOptions {
  std::size_t senders = 50;
  std::size_t unsettled_max = 800;  // beyond that many unanswered messages the load waits
  double with_reference = 0.8;      // share of messages that carry a user_message_reference; the rest have their text
  double paired = 0.3;              // share that comes with a second message of its sender, on another connection
  double repeated = 0.02;           // share after which an acknowledged message is repeated
};

class Load {
 public:
  Load(Stage& stage, const LoadOptions& options, std::uint64_t seed);

  // Sends about `count` messages, fewer when too many are unanswered.
  void send(std::size_t count);
  // Sends that many a second while the stage runs, until `enough`, asked now and then, holds or the
  // time is over; whether it holds.
  bool run(std::size_t rate, std::chrono::milliseconds time, const std::function<bool()>& enough = never);
  // Goes on until SIGKILL would leave no message without a reference that has been unanswered for long: such a message
  // is recognised after a process death only if it was accepted shortly before (S30). Throws std::runtime_error if that
  // takes longer than `limit`. Ends, too, when `enough` holds.
  void run_until_killable(std::size_t rate, std::chrono::milliseconds limit,
                          const std::function<bool()>& enough = never);
  // The messages sent so far, which are all settled.
  void forget();

 private:
  // Since when the oldest message without a reference waits for its answer; now if there is none.
  LogTime oldest_unanswered_plain();
  static bool never() { return false; }
  void send_one(const std::string& from, const std::string& to, std::size_t connection);
  void repeat_one();

  Stage& stage_;
  LoadOptions options_;
  Dice dice_;
  std::uint64_t seed_;
  std::vector<SentMessage*> plain_;  // without a reference, not yet seen answered
  std::vector<SentMessage*> referenced_;
  std::uint64_t last_message_ = 0;
  std::uint16_t last_reference_ = 0;
  double owed_ = 0;
};

// "+4915100000017".
std::string sender_number(std::size_t sender);

}  // namespace bobbin::drill
