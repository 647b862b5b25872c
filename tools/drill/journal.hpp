// What the clients and the receiver of a drill write down by themselves. The checker compares these and nothing else.
#pragma once

#include <bobbin/types.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace bobbin::drill {

inline LogTime wall_now() { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }

// One message of a client. Its text is its own: no other message has it.
struct SentMessage {
  std::string from;
  std::string to;
  std::string text;
  std::optional<std::uint16_t> reference;  // user_message_reference
  LogTime first_sent{};                    // just before it was handed to the connection
  LogTime acknowledged{};                  // when the first acknowledgement had been read
  std::uint32_t sends = 0;
  bool answered = false;
  std::string message_id;                  // of the first acknowledgement
  std::vector<std::string> differing_ids;  // other ids under which a repetition was acknowledged
};

// One batch as the receiver used it: the first body under its idempotency key.
struct ReceivedBatch {
  std::string key;
  std::string body;
  LogTime used_at{};
  std::uint32_t times = 1;    // how often it came
  bool body_changed = false;  // a repetition had other bytes
};

// Stable addresses: clients hold pointers to their messages.
using SentMessages = std::deque<SentMessage>;
using ReceivedBatches = std::vector<ReceivedBatch>;  // in the order of their first use

// Writes clients.jsonl and receiver.jsonl, one object a line.
void write_journals(const std::filesystem::path& directory, const SentMessages& sent, const ReceivedBatches& batches);

}  // namespace bobbin::drill
