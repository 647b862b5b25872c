// Everything that a drill needs on one stage: the gateway, its clients, the application behind it, and their journals.
#pragma once

#include "tools/drill/checker.hpp"
#include "tools/drill/gateway_process.hpp"
#include "tools/drill/journal.hpp"
#include "tools/drill/peer.hpp"
#include "tools/drill/receiver.hpp"
#include "tools/drill/relay.hpp"
#include "tools/drill/settings.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

namespace bobbin::drill {

struct StageOptions {
  std::filesystem::path gateway;         // the program
  std::filesystem::path directory;       // for configuration, log and data; made if it is not there
  std::filesystem::path data_directory;  // empty: in there
  std::size_t connections = 4;
  std::uint64_t seed = 1;
  bool relayed = false;      // deliveries go through the relay
  GatewaySettings settings;  // data directory and URL are the stage's
};

// Used on one thread. Nothing happens but within run_until() and run_for().
class Stage {
 public:
  explicit Stage(const StageOptions& options);

  GatewayProcess& gateway() { return gateway_; }
  Receiver& receiver() { return receiver_; }
  Relay& relay() { return relay_; }  // between the two
  const SentMessages& sent() const { return sent_; }
  const std::filesystem::path& data_directory() const { return options_.settings.data_directory; }

  // Starts the gateway; its clients connect as soon as it listens.
  void start_gateway();
  // A new message, sent on the connection of that number as soon as there is one.
  SentMessage& send(SentMessage message, std::size_t connection);
  // Called at each message's first acknowledgement.
  void on_acknowledged(const std::function<void(const SentMessage&)>& tell) {
    for (auto& peer : peers_) peer->on_acknowledged(tell);
  }
  // Repeats a message that has been acknowledged.
  void repeat(SentMessage& message, std::size_t connection) { peers_[connection]->send(message); }

  // Runs everything until the condition holds; false if the time was over before. Throws std::runtime_error if the
  // gateway ends by itself.
  bool run_until(const std::function<bool()>& condition, std::chrono::milliseconds limit);
  void run_for(std::chrono::milliseconds time);
  // Whether it may.
  void let_gateway_end(bool may_end) { gateway_may_end_ = may_end; }

  std::size_t connections() const { return peers_.size(); }
  std::size_t unsettled() const;
  std::uint64_t refusals() const;
  // Messages that are acknowledged, and in no used batch.
  std::size_t undelivered();
  // Whether every acknowledged message is in a used batch. To be asked when all are answered.
  bool all_delivered();
  // Waits until everything is answered, then until it is delivered or no batch has come for `patience`; then a last
  // window's length, for what should not come. False if messages stayed unanswered.
  bool drain(std::chrono::milliseconds patience);

  Verdict check() const { return check(sent_, receiver_.batches()); }
  // What was sent and received so far, which is all settled.
  void forget();
  // With other times than the clients' own clock told, or with what was sent and used before this stage was set.
  Verdict check(const SentMessages& sent, const ReceivedBatches& batches) const;
  // By how much the wall clock has moved against the machine's own since the beginning.
  Duration clock_drift() const { return drift_; }

 private:
  void tick();
  void watch_clock();

  StageOptions options_;
  boost::asio::io_context io_{1};
  boost::asio::steady_timer ticker_;
  Receiver receiver_;
  Relay relay_;
  GatewayProcess gateway_;
  bool gateway_may_end_ = false;
  SentMessages sent_;
  // For undelivered(), which is asked at each step: those that it has not seen delivered, of so many sent.
  std::vector<const SentMessage*> open_;
  std::size_t looked_at_ = 0;
  std::size_t delivered_up_to_ = 0;
  std::vector<std::unique_ptr<Peer>> peers_;
  Duration clock_offset_{};
  Duration drift_{};
};

}  // namespace bobbin::drill
