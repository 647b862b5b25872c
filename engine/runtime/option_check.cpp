#include "engine/runtime/option_check.hpp"

#include <bobbin/error.hpp>

#include <string>

namespace bobbin {

namespace {

void within(const char* option, std::uint64_t value, std::uint64_t least, std::uint64_t most) {
  if (value < least || value > most)
    throw InvalidArgument(std::string("engine option ") + option + " is " + std::to_string(value) + ": give " +
                          std::to_string(least) + " to " + std::to_string(most));
}

// Sums of such a time and a log's elapsed time must be representable.
constexpr Duration longest = std::chrono::hours(24) * 365 * 1'000;

void positive(const char* option, Duration value) {
  if (value <= Duration::zero())
    throw InvalidArgument(std::string("engine option ") + option + " is nothing or less: give a time");
  if (value > longest)
    throw InvalidArgument(std::string("engine option ") + option +
                          " is longer than a thousand years: give that where nothing is to end");
}

}  // namespace

EngineOptions checked(EngineOptions options) {
  constexpr std::uint64_t huge = 1ull << 40;
  within("inbox_requests", options.inbox_requests, 1, huge);
  within("inbox_bytes", options.inbox_bytes, 1, huge);
  within("batch_records", options.batch_records, 1, 1u << 20);
  within("batch_bytes", options.batch_bytes, 1, 1u << 30);
  within("activity_threads", options.activity_threads, 1, 4'096);
  within("resident_instances", options.resident_instances, 1, 16'000);
  within("fiber_stack_bytes", options.fiber_stack_bytes, 16u << 10, 64u << 20);
  within("unread_events", options.unread_events, 1, huge);
  within("pending_activities", options.pending_activities, 1, huge);
  within("payload_bytes", options.payload_bytes, 1, 256u << 20);
  within("dedup_memory_ids", options.dedup_memory_ids, 1, huge);
  within("mailbox_events", options.mailbox_events, 1, huge);
  within("carries_before_dead", options.carries_before_dead, 1, 1'000'000);
  within("checkpoint_age_records", options.checkpoint_age_records, 1, 1u << 20);
  within("tail_records_max", options.tail_records_max, 64, 1u << 24);
  positive("dedup_horizon", options.dedup_horizon);
  positive("retention", options.retention);
  positive("mailbox_time_to_live", options.mailbox_time_to_live);
  positive("failure_backoff_first", options.failure_backoff_first);
  positive("failure_backoff_cap", options.failure_backoff_cap);
  if (options.failure_backoff_cap < options.failure_backoff_first)
    throw InvalidArgument("engine option failure_backoff_cap is shorter than failure_backoff_first");
  return options;
}

}  // namespace bobbin
