// Handles of things that an orchestrator waits for. They belong to the instance that made them: use them on its fibers
// only. Destroying a handle whose work is pending cancels that work, which is a recorded decision (S19).
#pragma once

#include <bobbin/codec.hpp>
#include <bobbin/types.hpp>

#include <memory>
#include <optional>

namespace bobbin {

namespace detail {
struct Operation;
struct OperationDeleter {
  void operator()(Operation* operation) const noexcept;  // cancels it if it is pending
};
using OperationPtr = std::unique_ptr<Operation, OperationDeleter>;
}  // namespace detail

class Awaitable {
 public:
  // Whether waiting for it would return at once. Never waits.
  bool ready() const;
  // A pending timer no longer fires, a pending wait takes nothing, a pending activity is told to stop and its result is
  // ignored; awaiting it then throws Cancelled. Does nothing once it is ready.
  void cancel();

 protected:
  explicit Awaitable(detail::OperationPtr operation) : operation_(std::move(operation)) {}
  // Suspends the calling fiber until it is ready. Throws its error, or Cancelled.
  void await() const;
  const PayloadPtr& value() const;
  LogTime time() const;
  Position position() const;

  detail::OperationPtr operation_;
  friend class Context;
};

// Fires at the first turn at or after its due time, never before (S5).
class Timer : public Awaitable {
 public:
  using Awaitable::Awaitable;
  LogTime due() const { return time(); }
  void wait() const { await(); }
};

// An event as its waiter gets it (S11).
template <class T>
struct Received {
  T value;
  LogTime accepted_at{};
  Position position;
};

// One place in the line of an event name's waiters, held from the moment it was made.
template <class T>
class EventWait : public Awaitable {
 public:
  using Awaitable::Awaitable;
  Received<T> get() const {
    await();
    return {decode<T>(value()), time(), position()};
  }
};

template <class R>
class Activity : public Awaitable {
 public:
  using Awaitable::Awaitable;
  // The result; throws the ApplicationError with which its last attempt failed.
  R get() const {
    await();
    return decode<R>(value());
  }
};

// A child fiber of the same instance. Its end is awaited or, when the handle goes first, it is unwound before that
// returns.
template <class R>
class Fiber : public Awaitable {
 public:
  Fiber(detail::OperationPtr operation, std::shared_ptr<std::optional<R>> result)
      : Awaitable(std::move(operation)), result_(std::move(result)) {}
  // What its function returned, once; throws what its function threw.
  R join() {
    await();
    return std::move(**result_);
  }

 private:
  std::shared_ptr<std::optional<R>> result_;
};

}  // namespace bobbin
