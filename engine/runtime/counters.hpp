// What EngineStats shows: written by the lanes, read by any thread.
#pragma once

#include <atomic>
#include <cstdint>

namespace bobbin {

class Counter {
 public:
  void add(std::uint64_t amount = 1) { value_.fetch_add(amount, std::memory_order_relaxed); }
  void set(std::uint64_t value) { value_.store(value, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

struct Counters {
  Counter accepted, duplicates, refused, refused_storage_full;
  Counter turns, replays, evictions, payload_differences, late_inputs, unregistered, quarantined, parked_for_good;
  Counter damage_met;
  Counter activity_attempts, activity_retries, activity_failures, activities_running;
  Counter purged, resident, in_memory, timers_in_memory, last_lsn, fold_from, storage_full;
};

}  // namespace bobbin
