// The production activity runner: a pool of threads, started as they are needed.
#pragma once

#include <bobbin/ports.hpp>
#include <bobbin/registry.hpp>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace bobbin {

class ThreadRunner final : public ActivityRunner {
 public:
  // `registry` outlives it.
  ThreadRunner(const Registry& registry, std::size_t threads) : registry_(registry), threads_max_(threads) {}
  // Waits for running activities.
  ~ThreadRunner() override;

  // Some stand in line, so that no thread waits for the orchestrator lane between two short activities.
  std::size_t capacity() const override { return threads_max_ * tasks_a_thread; }
  void run(ActivityTask task) override;
  bool stop(Duration limit) override;

 private:
  static constexpr std::size_t tasks_a_thread = 8;

  void work();

  const Registry& registry_;
  const std::size_t threads_max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::condition_variable finished_;
  std::deque<ActivityTask> tasks_;
  std::size_t busy_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

// Runs one task's code on the calling thread; whatever it throws becomes the outcome (S18).
ActivityOutcome run_activity(const Registry& registry, const ActivityTask& task);

}  // namespace bobbin
