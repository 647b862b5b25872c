// What an orchestrator may do. Its code must be deterministic: the same inputs lead to the same calls in the same
// order. So: no wall clock, randomness, threads, mutexes or I/O; no iteration over unordered containers or by pointer
// order; no awaiting in destructors; no swallowing of exceptions that are not std::exception; and no two of these calls
// as arguments of one function call, whose order compilers choose.
#pragma once

#include <bobbin/awaitable.hpp>
#include <bobbin/retry.hpp>

#include <functional>
#include <initializer_list>
#include <span>
#include <string_view>
#include <type_traits>

namespace bobbin {

namespace detail {
class ContextCore;
}

// All calls throw InvalidArgument when made from outside the instance's own fibers (S20). Calls that wait suspend the
// calling fiber only; when the engine unwinds the fiber they throw something that is no std::exception: let it pass.
class Context {
 public:
  explicit Context(detail::ContextCore& core) : core_(core) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  LogTime now() const;  // log time of the turn (S4)
  const InstanceName& name() const;
  RunId run() const;
  bool replaying() const;  // true while recorded turns are repeated: for logging only, never for decisions

  // Takes the next event of this name, in order of acceptance; waiters of one name are served in the order in which
  // they began to wait (S11).
  template <class T>
  Received<T> wait_for_event(std::string_view event) {
    return expect_event<T>(event).get();
  }
  // Empty once `until` has fired. Never takes an event accepted at or after until.due().
  template <class T>
  std::optional<Received<T>> wait_for_event(std::string_view event, const Timer& until) {
    EventWait<T> wait(begin_wait(event, until.operation_.get()));
    if (!await_bounded(*wait.operation_)) return std::nullopt;
    return wait.get();
  }
  // Begins to wait without suspending; for when_any.
  template <class T>
  EventWait<T> expect_event(std::string_view event) {
    return EventWait<T>(begin_wait(event, nullptr));
  }

  Timer create_timer_at(LogTime due);
  Timer create_timer(Duration length) { return create_timer_at(add_saturating(now(), length)); }

  // The activity starts once this decision is durable (S21). A result type of Nothing needs no result.
  template <class R, class In>
  Activity<R> schedule_activity(std::string_view activity, const In& input, const ActivityOptions& options = {}) {
    return Activity<R>(schedule(activity, encode(input), options));
  }
  template <class R, class In>
  R call_activity(std::string_view activity, const In& input, const ActivityOptions& options = {}) {
    return schedule_activity<R>(activity, input, options).get();
  }

  // Index of the first that is ready, waiting until one is. At least one must be given.
  std::size_t when_any(std::span<const Awaitable* const> awaitables);
  std::size_t when_any(std::initializer_list<const Awaitable*> awaitables) {
    return when_any(std::span(awaitables.begin(), awaitables.size()));
  }
  void when_all(std::span<const Awaitable* const> awaitables);
  void when_all(std::initializer_list<const Awaitable*> awaitables) {
    when_all(std::span(awaitables.begin(), awaitables.size()));
  }

  // Runs `function` as a fiber of this instance, first when this one waits next. Fibers run first in, first out (S3).
  // It may refer to what was made before the handle: when the handle goes, the fiber is unwound first. At most 1,000 at
  // once.
  template <class F>
  auto spawn(F function) {
    using Result = std::invoke_result_t<F>;
    using R = std::conditional_t<std::is_void_v<Result>, Nothing, Result>;
    auto result = std::make_shared<std::optional<R>>();
    return Fiber<R>(start_fiber([function = std::move(function), result]() mutable {
                      if constexpr (std::is_void_v<Result>) {
                        function();
                        result->emplace();
                      } else {
                        result->emplace(function());
                      }
                    }),
                    result);
  }

 private:
  detail::OperationPtr begin_wait(std::string_view event, detail::Operation* until);
  bool await_bounded(detail::Operation& wait);  // false: timed out
  detail::OperationPtr schedule(std::string_view activity, PayloadPtr input, ActivityOptions options);
  detail::OperationPtr start_fiber(std::function<void()> function);

  detail::ContextCore& core_;
};

}  // namespace bobbin
