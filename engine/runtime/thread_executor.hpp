// The production executor: one thread a lane.
#pragma once

#include <bobbin/ports.hpp>

#include <array>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace bobbin {

class ThreadExecutor final : public Executor {
 public:
  ~ThreadExecutor() override;
  void start(std::function<void(Lane)> work) override;
  void wake(Lane lane) override;
  void pass_on(Lane from, Lane to) override;
  void wake_after(Lane lane, std::optional<Duration> delay) override;
  void drive_until(const std::function<bool()>& done) override;
  void stop() override;

 private:
  struct Line {
    std::mutex mutex;
    std::condition_variable changed;
    std::atomic<bool> wanted{false};
    std::atomic<bool> asleep{false};
    std::mutex working;  // held by the thread that runs the lane's work
    bool stopping = false;
    std::optional<std::chrono::steady_clock::time_point> at;  // of the lane's own thread only
    std::optional<Lane> passed_on;                            // of the lane's own thread only
    bool looks_out = false;                                   // of the lane's own thread only
    std::thread thread;
  };
  void run(Lane lane);
  void work(Lane lane);
  void work_passed_on(Line& line);
  bool looked_out(Line& line);
  bool sleep(Line& line);  // false: stop
  Line& line(Lane lane) { return lines_[static_cast<std::size_t>(lane)]; }

  std::function<void(Lane)> work_;
  std::array<Line, 3> lines_;
  std::mutex driven_mutex_;
  std::condition_variable driven_;  // some lane's work has returned; notified only while somebody drives
  std::atomic<int> drivers_{0};
};

}  // namespace bobbin
