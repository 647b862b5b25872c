// How an activity that fails is tried again.
#pragma once

#include <bobbin/types.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace bobbin {

// Delay before attempt n+1: min(cap, first_delay * factor^(n-1)), moved by up to +-jitter. Retries stop at the first
// of: `max_attempts` recorded failures, `total_time` since it was scheduled, an error whose type is listed or that
// says itself that it is final. An attempt cut by a crash is repeated at once and uses nothing up (S22, S23).
struct RetryPolicy {
  std::uint32_t max_attempts = 1;                  // 0: no limit
  Duration first_delay = std::chrono::seconds(1);  // not negative
  double factor = 2.0;                             // at least 1
  Duration cap = std::chrono::minutes(1);          // not negative
  double jitter = 0.1;                             // 0 to 1
  Duration total_time = Duration::max();           //
  std::vector<std::string> non_retryable_types{};  // of ApplicationError

  bool operator==(const RetryPolicy&) const = default;
};

// Whether an author may ask for it: each member is within the bounds that stand beside it.
inline bool is_possible(const RetryPolicy& retry) {
  return retry.factor >= 1 && retry.jitter >= 0 && retry.jitter <= 1 && retry.first_delay >= Duration{} &&
         retry.cap >= Duration{};
}

struct ActivityOptions {
  RetryPolicy retry{};
  // A final failure is kept as a dead letter that an operator can redrive (S31).
  bool dead_letter_on_failure = false;

  bool operator==(const ActivityOptions&) const = default;
};

}  // namespace bobbin
