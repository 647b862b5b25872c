// What an activity sees. Activities run on threads, may block, and run at least once (P6).
#pragma once

#include <bobbin/types.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

namespace bobbin {

// Shared between the engine and one attempt.
class CancellationToken {
 public:
  bool cancelled() const noexcept { return flag_->load(std::memory_order_relaxed); }
  void cancel() const noexcept { flag_->store(true, std::memory_order_relaxed); }
  // Set once cancelled; lives as long as any copy of the token.
  const std::atomic<bool>& flag() const noexcept { return *flag_; }

 private:
  std::shared_ptr<std::atomic<bool>> flag_ = std::make_shared<std::atomic<bool>>(false);
};

struct ActivityContext {
  InstanceName instance;
  RunId run = 0;
  std::string idempotency_key;  // 32 hex digits; the same for all attempts, never used for anything else (S21)
  std::uint32_t attempt = 1;
  CancellationToken cancellation;  // set when the result is no longer wanted, or the engine closes
};

}  // namespace bobbin
