// Answers on their way out: released with the commit that makes them true, in log order (S24).
#pragma once

#include "engine/runtime/inbox.hpp"
#include "engine/runtime/reply.hpp"

#include <bobbin/ports.hpp>

#include <deque>
#include <functional>
#include <mutex>
#include <variant>
#include <vector>

namespace bobbin {

class Completion {
 public:
  template <class T>
  static Completion of(Reply<T> reply, Result<T> result) {
    const bool direct = reply.direct();
    return Completion(direct, [reply = std::move(reply), result = std::move(result)](const ErrorInfo& failure) mutable {
      if (failure) result = {failure, {}};
      reply.finish(result);
    });
  }
  // The frequent one, without an allocation.
  static Completion of(Reply<Accepted> reply, Result<Accepted> result) {
    const bool direct = reply.direct();
    return Completion(direct, AcceptedAnswer{std::move(reply), std::move(result)});
  }

  bool direct() const { return direct_; }
  // `failure`: the commit failed, and this is the answer instead.
  void run(const ErrorInfo& failure);

 private:
  struct AcceptedAnswer {
    Reply<Accepted> reply;
    Result<Accepted> result;
  };
  using Action = std::variant<AcceptedAnswer, std::function<void(const ErrorInfo&)>>;
  Completion(bool direct, Action action) : direct_(direct), action_(std::move(action)) {}

  bool direct_;
  Action action_;
};

class Completions {
 public:
  Completions(Executor& executor, Inbox& inbox) : executor_(executor), inbox_(inbox) {}

  // Any lane. Blocked callers go on at once, callbacks run on the completion lane in this order.
  void release(std::vector<Completion> completions, const ErrorInfo& failure);
  // The completion lane's work.
  void work();
  bool empty() const;

 private:
  struct Released {
    std::vector<Completion> completions;
    ErrorInfo failure;
  };
  Executor& executor_;
  Inbox& inbox_;
  mutable std::mutex mutex_;
  std::deque<Released> released_;
  bool working_ = false;
};

}  // namespace bobbin
