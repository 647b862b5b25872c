// The real gateway on what a power cut has left of its log: it must listen, accept, deliver all that it owes, and end
// when it is asked to.
#pragma once

#include "tools/drill/journal.hpp"
#include "tools/drill/power/image_check.hpp"
#include "tools/drill/settings.hpp"

#include <cstdint>
#include <filesystem>
#include <string>

namespace bobbin::drill {

// What clients and the application knew when the power went.
struct Witness {
  SentMessages sent;  // answered: before the cut
  ReceivedBatches batches;
};

struct GatewayTrial {
  std::filesystem::path program;
  std::filesystem::path directory;       // for its configuration and log
  std::filesystem::path data_directory;  // the image; it is changed
  GatewaySettings settings;              // as before the cut
  std::uint64_t seed = 0;
};

struct GatewayFound {
  int status = image_sound;
  std::string what;  // is wrong
  Outcome accepted;  // the message that it took
};

// Its batches, with those of before the cut, are judged as those of any drill.
GatewayFound try_gateway(const GatewayTrial& trial, const Witness& witness);

}  // namespace bobbin::drill
