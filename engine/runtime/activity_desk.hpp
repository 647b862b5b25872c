// Activities between decision and result: started once their decision is durable, in log order, as the runner has
// room; tried again as their policy says (P6, S21 to S23).
#pragma once

#include "engine/runtime/core.hpp"
#include "engine/runtime/request.hpp"

#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <set>
#include <unordered_map>

namespace bobbin {

// Orchestrator lane only.
class ActivityDesk {
 public:
  // `done` takes the outcome of an attempt to the inbox; any thread.
  ActivityDesk(Core& core, std::function<void(AttemptDone)> done) : core_(core), done_(std::move(done)) {}

  // A pending activity of a live run, decided or retried by the record `lsn`. Nothing happens if it is known already.
  void schedule(const Instance& instance, const PendingActivity& activity, Lsn lsn);
  // Runs a failed activity once more, for an operator's record `lsn` (S31).
  void redrive(const DeadLetter& letter, Lsn lsn);

  void cancel(RunId run, std::uint32_t ordinal);
  void cancel_run(RunId run);
  // Those that do not run yet: the run is held, and nothing of it is executed.
  void cancel_waiting(RunId run);

  // Hands over what is durable, due, and has room.
  void start_due(Lsn durable);
  std::optional<LogTime> next_retry() const;

  // An attempt has ended: what to do. Forgets the attempt.
  enum class Verdict { unknown, completed, retry, failed };
  struct Judgement {
    Verdict verdict = Verdict::unknown;
    LogTime retry_at{};
    bool dead_letter = false;
  };
  Judgement judge(const AttemptDone& done, const PendingActivity* activity);
  bool forget_redrive(const AttemptDone& done);

  void cancel_all();
  std::size_t running() const { return running_; }
  // Of all that have not ended; each is in memory.
  std::size_t pending() const { return tasks_.size(); }

 private:
  struct Key {
    RunId run;
    std::uint32_t ordinal;
    bool redrive;
    auto operator<=>(const Key&) const = default;
  };
  // A new decision in memory, so that it need not be read from the log.
  struct Kept {
    Kept(const ActivityScheduled& what, std::size_t& counted) : scheduled(what), count(counted) { ++count; }
    ~Kept() { --count; }
    Kept(const Kept&) = delete;
    Kept& operator=(const Kept&) = delete;
    ActivityScheduled scheduled;
    std::size_t& count;
  };
  struct Task {
    InstanceId id;
    InstanceName name;
    std::string activity;
    Position decision;
    Position redriven;
    std::uint32_t attempt = 1;
    CancellationToken cancellation;
    bool running = false;
    RetryPolicy retry;
    bool dead_letter_on_failure = false;
    std::unique_ptr<const Kept> kept;  // until the first attempt; empty: the log has it
  };
  struct Waiting {
    Lsn lsn;
    Key key;
  };
  struct Later {
    LogTime at;
    Waiting waiting;
    bool operator>(const Later& other) const { return at > other.at; }
  };
  void put(const Key& key, Task task, Lsn lsn, LogTime not_before);
  void keep(Task& task);
  bool start(const Key& key, Task& task);
  // Throws Corrupt if the log does not hold its decision.
  ActivityTask prepare(const Key& key, Task& task);
  std::string idempotency_key(const Task& task, const Key& key) const;

  Core& core_;
  std::function<void(AttemptDone)> done_;
  std::size_t kept_ = 0;  // before the tasks that count it
  std::map<Key, Task> tasks_;
  std::set<Key> unregistered_;        // told about
  std::deque<Waiting> durable_wait_;  // in log order
  std::priority_queue<Later, std::vector<Later>, std::greater<>> later_;
  std::size_t running_ = 0;
};

}  // namespace bobbin
