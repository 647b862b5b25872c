// Answers that change nothing: status, wait, list, ledgers, dead letters. From the current state, released once that
// is durable (S24).
#pragma once

#include "engine/runtime/core.hpp"
#include "engine/runtime/request.hpp"

namespace bobbin {

// Orchestrator lane only.
class Reads {
 public:
  explicit Reads(Core& core) : core_(core) {}

  void status(StatusRequest& request);
  void list(ListRequest& request);
  void ledgers(LedgersRequest& request);
  void dead_letters(DeadLettersRequest& request);

  // Answers those who wait for the instance's end, if no run of it lives.
  void answer_waiters(Instance& instance);

 private:
  // What `read` returns, or what it throws: what cannot be read is the caller's answer, and nobody else's.
  template <class T, class Read>
  Result<T> result_of(Read read);
  InstanceStatus status_of(const InstanceState& state);
  std::vector<InstanceState> page_of(const ListQuery& query);
  std::vector<DeadLetter> letters_of(Position after, std::size_t limit);
  void wait_for_end(Instance& instance, Reply<InstanceStatus> reply);
  void let_go_of_forsaken();

  Core& core_;
  std::size_t waiters_ = 0;
  std::size_t look_for_forsaken_at_ = 0;  // of waiters; set by the first look
};

}  // namespace bobbin
