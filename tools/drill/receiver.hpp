// The application behind the gateway: takes batches over HTTP, trusts their signature only, uses their idempotency key.
#pragma once

#include "tools/drill/journal.hpp"
#include "tools/http/server.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace bobbin::drill {

// How often, as a share of all requests, the application is not at its best.
struct ReceiverFaults {
  double refused = 0;  // answers 500 and has not used the batch
  double forgot = 0;   // answers 500 although it has used the batch
  double slow = 0;     // answers late
  std::chrono::milliseconds slow_max{300};
};

// Everything runs on the io_context's single thread.
class Receiver {
 public:
  // Listens on a free port of the loopback.
  Receiver(boost::asio::io_context& io, std::string secret, std::uint64_t seed);

  std::uint16_t port() const { return server_->port(); }
  std::string url() const { return url(port()); }
  std::string url(std::uint16_t port) const;  // of whoever listens there for it
  void set_faults(const ReceiverFaults& faults) { faults_ = faults; }
  // From now on requests are neither used nor answered; with false, those that wait are, and all that come.
  void hang(bool hanging);
  // Every other of those that wait is never used; whoever still listens hears 500.
  void drop_every_other_held();
  std::size_t held() const { return held_.size(); }
  // Called at each batch's first use.
  void on_used(std::function<void(const ReceivedBatch&)> tell) { tell_used_ = std::move(tell); }
  // Every request is answered with this status, unused, until it is 0 again.
  void answer_always(unsigned status) { fixed_status_ = status; }

  // The batches that it has used, of which none is to come again.
  void forget();

  const ReceivedBatches& batches() const { return batches_; }
  // Texts of all messages in used batches.
  bool has_text(const std::string& text) const { return texts_.contains(text); }
  std::uint64_t requests() const { return requests_; }
  // Requests with a bad signature or without a key: never the gateway's way.
  const std::vector<std::string>& complaints() const { return complaints_; }

 private:
  enum class Mood { well, refused, forgot, slow };

  void on_request(const http::Request& request, http::Respond respond);
  void take(const http::Request& request, http::Respond respond);
  bool well_formed(const http::Request& request);
  void use(const std::string& key, const std::string& body);
  Mood next_mood();
  void answer_later(http::Respond respond);

  boost::asio::io_context& io_;
  std::string secret_;
  std::mt19937_64 random_;
  ReceiverFaults faults_;
  std::function<void(const ReceivedBatch&)> tell_used_;
  unsigned fixed_status_ = 0;
  bool hanging_ = false;
  std::vector<std::pair<http::Request, http::Respond>> held_;
  std::uint64_t requests_ = 0;
  ReceivedBatches batches_;
  std::unordered_map<std::string, std::size_t> by_key_;
  std::set<std::string> texts_;
  std::vector<std::string> complaints_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace bobbin::drill
