// Where an answer goes: to a callback on the completion lane, or straight to a blocked caller.
#pragma once

#include <bobbin/requests.hpp>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>

namespace bobbin {

// A blocking call. `queued` -> `sequenced` (the orchestrator took it) or `abandoned` (its caller's deadline passed).
template <class T>
class BlockedCall {
 public:
  // Orchestrator: false if the caller has gone, and the request is to be dropped.
  bool sequence() { return advance(State::sequenced); }

  void finish(const Result<T>& result) {
    {
      const std::lock_guard lock(mutex_);
      result_ = result;
      finished_ = true;
    }
    changed_.notify_one();  // unlocked: else the caller would wake up only to wait for the lock
  }

  // Caller: waits up to `timeout` for the answer, and throws its error. Empty: not answered by then; `taken` tells
  // whether it may still happen (S25).
  std::optional<T> wait(Duration timeout, bool& taken) {
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, timeout, [this] { return answered(); })) return take();
    taken = !advance(State::abandoned);
    forsaken_ = true;
    return std::nullopt;
  }

  bool answered() const { return finished_.load(std::memory_order_acquire); }
  // Nobody waits any more.
  bool forsaken() const { return forsaken_; }

 private:
  enum class State { queued, sequenced, abandoned };

  bool advance(State to) {
    auto expected = State::queued;
    return state_.compare_exchange_strong(expected, to);
  }
  T take() {
    if (result_.error) throw_error(result_.error);
    return std::move(result_.value);
  }

  std::atomic<State> state_{State::queued};
  std::atomic<bool> forsaken_{false};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<bool> finished_{false};
  Result<T> result_;
};

template <class T>
class Reply {
 public:
  Reply() = default;
  explicit Reply(Callback<T> callback) : callback_(std::move(callback)) {}
  explicit Reply(std::shared_ptr<BlockedCall<T>> call) : call_(std::move(call)) {}

  // Orchestrator, before it acts on the request: false if nobody wants it any more.
  bool sequence() const { return !call_ || call_->sequence(); }
  // A blocked caller is woken from any lane; a callback belongs to the completion lane.
  bool direct() const { return call_ != nullptr; }
  bool forsaken() const { return call_ && call_->forsaken(); }
  void finish(const Result<T>& result) const {
    if (call_)
      call_->finish(result);
    else if (callback_)
      callback_(result);
  }

 private:
  Callback<T> callback_;
  std::shared_ptr<BlockedCall<T>> call_;
};

}  // namespace bobbin
