#include "engine/runtime/thread_executor.hpp"

#include <pthread.h>

#include <algorithm>
#include <utility>

namespace bobbin {

namespace {

constexpr std::array lanes{Lane::orchestrator, Lane::writer, Lane::completion};

constexpr std::chrono::microseconds looked_out_for{50};

const char* thread_name(Lane lane) {
  switch (lane) {
    case Lane::orchestrator:
      return "bobbin-turns";
    case Lane::writer:
      return "bobbin-log";
    case Lane::completion:
      return "bobbin-answers";
  }
  return "bobbin";
}

}  // namespace

ThreadExecutor::~ThreadExecutor() { stop(); }

void ThreadExecutor::start(std::function<void(Lane)> work) {
  work_ = std::move(work);
  for (const auto lane : lanes) line(lane).thread = std::thread([this, lane] { run(lane); });
}

void ThreadExecutor::run(Lane lane) {
  pthread_setname_np(pthread_self(), thread_name(lane));
  auto& own = line(lane);
  while (sleep(own)) {
    {
      const std::lock_guard working(own.working);
      work(lane);
    }
    if (own.passed_on) work_passed_on(own);
  }
}

void ThreadExecutor::work(Lane lane) {
  work_(lane);
  if (drivers_ > 0) {
    const std::lock_guard lock(driven_mutex_);
    driven_.notify_all();
  }
}

// Saves a change of threads where one caller waits for one record; a lane that has become busy meanwhile goes on
// itself.
void ThreadExecutor::work_passed_on(Line& line) {
  const auto next = *std::exchange(line.passed_on, std::nullopt);
  auto& its_line = this->line(next);
  const std::unique_lock working(its_line.working, std::try_to_lock);
  if (working && !line.wanted)
    work(next);
  else
    wake(next);
  line.looks_out = true;
}

// The one caller that waited has its answer by now, and often has its next request at hand: to fall asleep and be woken
// takes longer than that.
bool ThreadExecutor::looked_out(Line& line) {
  if (!std::exchange(line.looks_out, false) || std::thread::hardware_concurrency() < 2) return false;
  const auto until = std::chrono::steady_clock::now() + looked_out_for;
  while (!line.wanted && std::chrono::steady_clock::now() < until) {
  }
  return line.wanted.exchange(false);
}

void ThreadExecutor::pass_on(Lane from, Lane to) { line(from).passed_on = to; }

void ThreadExecutor::drive_until(const std::function<bool()>& done) {
  ++drivers_;
  std::unique_lock lock(driven_mutex_);
  wake(Lane::orchestrator);
  driven_.wait(lock, done);
  --drivers_;
}

// `asleep` is set before the last look at `wanted`, and wake() sets `wanted` before it looks at `asleep`: one of the
// two sees the other, so no wake is lost and a busy lane is woken without a lock.
bool ThreadExecutor::sleep(Line& line) {
  if (line.wanted.exchange(false) || looked_out(line)) return true;
  std::unique_lock lock(line.mutex);
  line.asleep = true;
  const auto called = [&line] { return line.wanted.load() || line.stopping; };
  if (line.at)
    line.changed.wait_until(lock, *line.at, called);
  else
    line.changed.wait(lock, called);
  line.asleep = false;
  line.at.reset();
  line.wanted = false;
  return !line.stopping;
}

void ThreadExecutor::wake(Lane lane) {
  auto& its_line = line(lane);
  if (its_line.wanted.exchange(true)) return;
  if (!its_line.asleep) return;
  { const std::lock_guard lock(its_line.mutex); }  // the lane waits by now, or will see `wanted`
  its_line.changed.notify_one();                   // unlocked: else it would wake up only to wait for the lock
}

void ThreadExecutor::wake_after(Lane lane, std::optional<Duration> delay) {
  auto& at = line(lane).at;
  at.reset();
  if (!delay) return;
  const auto now = std::chrono::steady_clock::now();
  // An early wake does no harm; a late one would: this clock stands still while the machine is suspended, log time does
  // not, and the wall clock may jump.
  at = now + std::min<Duration>(*delay, std::chrono::seconds(1));
}

void ThreadExecutor::stop() {
  for (const auto lane : lanes) {
    auto& its_line = line(lane);
    const std::lock_guard lock(its_line.mutex);
    its_line.stopping = true;
    its_line.changed.notify_one();
  }
  for (const auto lane : lanes)
    if (line(lane).thread.joinable()) line(lane).thread.join();
}

}  // namespace bobbin
