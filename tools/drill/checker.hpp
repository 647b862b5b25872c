// Compares what clients and receiver wrote down, and says which promise is broken. Pure: no clock, file or process.
#pragma once

#include "tools/drill/journal.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace bobbin::drill {

enum class Promise {
  kept_messages,  // lost: acknowledged, and in no batch
  once_only,      // doubled: a message twice, in batches under different keys or in one
  whole_windows,  // split: a batch that is not exactly what was accepted between its window's bounds
  bounded,        // unbounded: a file or memory that goes on growing
  sound_log,      // corrupt: a log that cannot be read, or contradicts itself
};

struct BrokenPromise {
  Promise promise;
  std::string what;  // names messages, batches and times
};

struct Verdict {
  std::size_t accepted = 0;   // messages acknowledged to clients
  std::size_t delivered = 0;  // of these, messages in a batch that was used
  std::size_t lost = 0;       // messages
  std::size_t doubled = 0;    // messages
  std::size_t split = 0;      // batches
  std::vector<BrokenPromise> broken;

  bool kept() const { return lost == 0 && doubled == 0 && split == 0; }
  Verdict& operator+=(Verdict other);
};

struct CheckOptions {
  std::chrono::milliseconds window_length{500};
  std::size_t messages_max = 100;
  // By how much the clocks of clients and gateway may differ.
  Duration tolerance = std::chrono::milliseconds(20);
};

// `whole_windows` means, for each batch:
// - its messages are of its conversation, accepted within its bounds, in order, and within what the client saw: after
//   the first sending, before the acknowledgement, under the id that was acknowledged;
// - every message of the conversation that was sent and acknowledged wholly within the bounds is in it;
// - it was closed by time at the end of its length, or by count with as many as allowed;
// - it overlaps no other window of the conversation, and was used after those before it;
// - every repetition of it had the same bytes.
Verdict check(const SentMessages& sent, const ReceivedBatches& batches, const CheckOptions& options);

}  // namespace bobbin::drill
