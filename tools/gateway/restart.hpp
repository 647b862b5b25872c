// What a gateway learns from the life before its own: when that ended, and which messages its peers may repeat (S30).
#pragma once

#include "tools/gateway/retransmission.hpp"

#include <bobbin/store.hpp>

#include <chrono>
#include <filesystem>

namespace bobbin::gateway {

// A file whose time of change says when a process was last alive that could write to the log.
class Heartbeat {
 public:
  explicit Heartbeat(const std::filesystem::path& data_directory) : file_(data_directory / "alive") {}

  // When the process before was last alive; the beginning of time if there was none.
  std::chrono::system_clock::time_point last() const;
  // Throws std::filesystem::filesystem_error if the file cannot be written.
  void beat() const;

  static constexpr std::chrono::seconds interval{1};

 private:
  std::filesystem::path file_;
};

// Reads the log's end backwards, as far as messages accepted shortly before the death go, and tells the filter of them.
// Returns how many it remembers. To be called before an engine owns the store.
std::size_t seed_after_restart(Store& store, std::chrono::system_clock::time_point last_alive,
                               Retransmission::Time restarted_at, const RetransmissionOptions& options,
                               Retransmission& retransmission);

}  // namespace bobbin::gateway
