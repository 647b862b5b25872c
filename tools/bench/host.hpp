// The host of the figures: an engine with default options whose events of 300 bytes go into windows of SMS
// consolidation.
#pragma once

#include <bobbin/engine.hpp>
#include <bobbin/store.hpp>
#include <bobbin/workflows/sms_consolidation.hpp>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <vector>

namespace bobbin::bench {

struct HostShape {
  Duration window = std::chrono::seconds(1);
  std::uint32_t window_messages = 100;
  std::size_t event_bytes = 300;
};

// Where each commit ended, while somebody wants to know.
class CommitLog {
 public:
  void add(Lsn last_lsn);
  void begin();
  std::vector<std::uint64_t> end();

 private:
  std::mutex mutex_;
  bool open_ = false;
  std::vector<std::uint64_t> last_lsns_;
};

class Host {
 public:
  // Opens the log in `directory`, or a new one.
  Host(const std::filesystem::path& directory, const HostShape& shape, EngineOptions options = {});

  Engine& engine() { return *engine_; }
  CommitLog& commits() { return commits_; }

  // Raises one event of a key under a dedup id that was never used on this log.
  void raise(std::uint64_t key, Callback<Accepted> callback);
  Accepted raise(std::uint64_t key);

  std::uint64_t raised() const { return raised_; }
  std::uint64_t delivered() const { return delivered_; }
  std::uint64_t batches() const { return batches_; }

  // Waits until every event that it raised is delivered. Throws if the engine fails first.
  void drain();

 private:
  EventOptions next_id();

  workflows::SmsWindow window_;
  workflows::Sms sms_;
  std::uint64_t next_id_ = 0;
  std::uint64_t raised_ = 0;
  std::atomic<std::uint64_t> delivered_{0};
  std::atomic<std::uint64_t> batches_{0};
  CommitLog commits_;
  std::unique_ptr<Engine> engine_;  // last: its threads use the others
};

}  // namespace bobbin::bench
