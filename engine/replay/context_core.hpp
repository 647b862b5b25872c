// What stands behind a Context: turns the calls of an instance's fibers into decisions, and inputs into results.
// Deterministic: it knows nothing but its inputs, and the same inputs give the same decisions.
#pragma once

#include "engine/replay/operation.hpp"

#include <bobbin/context.hpp>
#include <bobbin/record.hpp>

#include <deque>
#include <span>

namespace bobbin::detail {

class ContextCore {
 public:
  ContextCore(InstanceName name, RunId run, std::shared_ptr<StackPool> stacks);
  // Unwinds the fibers; what their destructors do decides nothing (S19).
  ~ContextCore();

  // ---- For the instance's fibers, through Context and the handles ----
  const InstanceName& name() const { return name_; }
  RunId run() const { return run_; }
  LogTime now() const { return now_; }
  bool replaying() const { return replaying_; }
  OperationPtr begin_wait(std::string_view event, const Operation* until);
  OperationPtr create_timer(LogTime due);
  OperationPtr schedule(std::string_view activity, PayloadPtr input, ActivityOptions options);
  OperationPtr start_fiber(std::function<void()> function);
  void await(std::span<const Operation* const> operations, bool all);
  void cancel(Operation& operation);
  void check_caller() const;  // throws InvalidArgument outside the instance's fibers (S20)

  // ---- For the engine, from the thread's own flow; each runs the fibers until all of them wait (S2) ----
  void set_turn(LogTime now, bool replaying);
  void start_main(std::function<void()> body);
  void give_event(const Event& event);
  void fire_timer(std::uint32_t ordinal);
  void finish_activity(std::uint32_t ordinal, PayloadPtr result, const ErrorInfo& error);
  void buffer_event(const Event& event) { buffer_.push_back(event); }

  // The earliest pending timer by due time, then creation; null if none.
  const Operation* first_timer() const;
  std::vector<Decision>& decisions() { return decisions_; }
  const std::vector<Decision>& decisions() const { return decisions_; }
  // An input is about to be given: brings to the cache what it touches, in two steps as FiberGroup does.
  void prefetch_waits() const;
  void prefetch_fiber() const { fibers_.prefetch_stack(); }
  std::uint32_t last_ordinal() const { return last_ordinal_; }
  // Unwinds everything; later calls decide nothing. Returns how many fibers refused.
  std::size_t stop();

 private:
  void emit(Decision decision);
  void run_fibers();
  bool try_take(Operation& wait);
  void take(Operation& wait, const Event& event);
  void settle(Operation& operation, OperationState state);
  static bool satisfied(std::span<const Operation* const> operations, bool all);

  InstanceName name_;
  RunId run_;
  LogTime now_{};
  bool replaying_ = false;
  bool stopped_ = false;
  std::uint32_t last_ordinal_ = 0;
  FiberGroup fibers_;
  std::vector<Decision> decisions_;
  std::deque<Event> buffer_;            // accepted events that no present waiter may take, in order
  std::vector<Operation*> waits_;       // pending, in the order in which they began
  std::vector<Operation*> timers_;      // pending, in creation order
  std::vector<Operation*> activities_;  // pending
};

}  // namespace bobbin::detail
