// A model of the application that gets the gateway's batches: it remembers each, under its idempotency key, and finds
// what is doubled, split or out of order (S29, S31).
#pragma once

#include "tests/sim/verdict.hpp"

#include <bobbin/ports.hpp>

#include <map>
#include <string>
#include <vector>

namespace bobbin::sim {

class SmsReceiver {
 public:
  explicit SmsReceiver(Verdict& verdict) : verdict_(verdict) {}

  // A POST arrives. What it answers is the simulation's choice.
  void receive(const ActivityTask& delivery);
  // Every one of these messages must be in a batch.
  void check_delivered(const std::vector<std::string>& ids);

 private:
  void take_apart(const std::string& key, const std::string& body);

  Verdict& verdict_;
  std::map<std::string, std::string> bodies_;      // by idempotency key
  std::map<std::string, std::string> keys_;        // by message id
  std::map<std::string, std::int64_t> closed_at_;  // by conversation, of its newest batch
};

}  // namespace bobbin::sim
