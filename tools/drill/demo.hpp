// The main job on screen: a burst of messages, a gateway killed in the middle of it, and the proof that nothing was
// lost.
#pragma once

#include <cstdint>
#include <filesystem>

namespace bobbin::drill {

struct DemoOptions {
  std::filesystem::path gateway;
  std::filesystem::path inspect;  // the inspection tool
  std::filesystem::path directory;
  std::size_t messages = 3'000;
  std::size_t senders = 300;
  std::size_t connections = 4;
  std::uint64_t seed = 1;
};

// Tells on stdout what happens; true if all is proven.
bool run_demo(const DemoOptions& options);

}  // namespace bobbin::drill
