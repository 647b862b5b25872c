// The bounded way in: requests of any thread, in order, to the orchestrator lane (S25).
#pragma once

#include "engine/runtime/request.hpp"

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <vector>

namespace bobbin {

class Inbox {
 public:
  Inbox(std::size_t requests_max, std::size_t bytes_max) : requests_max_(requests_max), bytes_max_(bytes_max) {}

  // Waits for room up to `patience` (none: not at all). Throws Overloaded when there is none, Closed after close().
  void put(Request request, std::size_t bytes, Duration patience);
  // Outcomes of activities have reserved room: never refused, so that a full engine drains, also while it closes. The
  // runner's capacity bounds them.
  void put_outcome(AttemptDone outcome);

  // Exchanges `done`, empty by now, for all that waits, oldest first. What was taken counts against the bounds until
  // the next take: by then it is done with. Orchestrator lane.
  void take(std::vector<Request>& done);
  // The same for outcomes. They overtake requests: what ends makes room for what begins.
  void take_outcomes(std::vector<AttemptDone>& done);

  // Answers that wait for their callbacks count against the bound of requests too: callbacks that fall behind are felt
  // by callers, not by memory. Any thread.
  void add_waiting_answers(std::size_t count);
  void remove_waiting_answers(std::size_t count);

  // No put() succeeds any more; those that wait for room throw.
  void close();
  std::size_t requests() const;
  bool empty() const;

 private:
  struct Load {
    std::size_t requests = 0;
    std::size_t bytes = 0;
  };
  bool has_room(std::size_t bytes) const;

  const std::size_t requests_max_;
  const std::size_t bytes_max_;
  mutable std::mutex mutex_;
  std::condition_variable room_;
  std::vector<Request> queue_;
  std::vector<AttemptDone> outcomes_;
  Load load_;   // of bounded requests, the taken ones included
  Load taken_;  // of those that were taken last
  std::size_t waiting_answers_ = 0;
  std::size_t waiting_ = 0;
  bool closed_ = false;
};

}  // namespace bobbin
