// The engine's options. All have defaults that suit a busy host; impossible ones are refused at construction.
#pragma once

#include <bobbin/error.hpp>
#include <bobbin/types.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace bobbin {

enum class LogLevel { debug, info, warning, error };

struct EngineOptions {
  // Bounds of the inbox (S25): requests that are accepted by no one yet, and answers that wait for their callbacks.
  std::size_t inbox_requests = 65'536;
  std::size_t inbox_bytes = 64u << 20;
  // A commit holds at most about this many records (and answers), and bytes of payload.
  std::size_t batch_records = 4'096;
  std::size_t batch_bytes = 2u << 20;

  std::size_t activity_threads = 16;  // each has up to eight activities at hand, of which it runs one
  // Instances whose fibers are in memory; idle ones beyond it are unwound and replayed on demand. 1 to 16,000.
  std::size_t resident_instances = 16'000;
  std::size_t fiber_stack_bytes = 256u << 10;
  // Work that has been accepted and waits, beyond which new work gets Overloaded until some of it is done (S25): events
  // that one live run has not taken; activities, of all runs, that wait for a thread, a retry or their end.
  std::size_t unread_events = 10'000;
  std::size_t pending_activities = 100'000;
  // Payloads that are larger are refused.
  std::size_t payload_bytes = 1u << 20;

  Duration dedup_horizon = std::chrono::hours(1);
  std::size_t dedup_memory_ids = 64'000'000;  // more within the horizon: Overloaded (S13); about 6 bytes each
  Duration mailbox_time_to_live = std::chrono::hours(1);
  std::size_t mailbox_events = 1'000;     // of one instance without a live run (S10)
  std::uint32_t carries_before_dead = 3;  // S12
  Duration failure_backoff_first = std::chrono::seconds(1);
  Duration failure_backoff_cap = std::chrono::minutes(1);

  // The history of a run is kept this long after its end, in elapsed time, then purged in bounded steps (S28). Of an
  // instance that has had another run since, each record goes when it is this old.
  Duration retention = std::chrono::hours(24);

  // A row is checkpointed once it has been dirty for this many records (one with much payload counts as one for each
  // KiB) if as many rows are dirty, and for up to four times as many the fewer are: hot rows are written once in that
  // time, and recovery folds many records into few rows, or fewer into many.
  std::uint64_t checkpoint_age_records = 8'192;
  // Recovery folds about this many at most, counted in the same way (P9). From half of it on checkpoints hurry; at it
  // nothing is taken in before rows have left.
  std::uint64_t tail_records_max = 262'144;

  // A replayed decision whose payload differs quarantines the instance; else it is counted and logged (S15).
  bool strict_replay = false;

  // Called once, on an engine's own thread, when the engine has stopped for good: a commit failed, or more of the log
  // is damaged than one record or row that only some run or call needs (P10). Pending calls get OutcomeUnknown; only
  // reopening helps. Must not call the engine.
  std::function<void(const ErrorInfo&)> on_failure;
  // Receives the engine's log lines, on its own threads; must not call the engine. <bobbin/spdlog.hpp> makes one.
  std::function<void(LogLevel, const std::string&)> log;
};

}  // namespace bobbin
