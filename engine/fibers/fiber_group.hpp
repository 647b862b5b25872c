// The fibers of one instance: started, parked, woken and unwound together. The one place where a fiber suspends.
#pragma once

#include "engine/fibers/stack_pool.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace boost::fibers {
class context;
}

namespace bobbin {

// Thrown by park() to unwind a fiber. No std::exception, so that user code does not swallow it by habit.
struct Unwind {};

class FiberTask {
 public:
  bool ended() const { return ended_; }

 private:
  friend class FiberGroup;
  std::function<void()> body_;
  const void* frame_ = nullptr;  // of suspend(), while parked
  boost::fibers::context* context_ = nullptr;
  bool ended_ = false;
  bool parked_ = false;
  bool unwinding_ = false;
  bool given_up_ = false;
  std::uint32_t unwinds_ = 0;
  FiberTask* unwinder_ = nullptr;  // waits for this one's end
};

// One thread: all calls on the thread that made it.
class FiberGroup {
 public:
  explicit FiberGroup(std::shared_ptr<StackPool> stacks) : stacks_(std::move(stacks)) {}
  // Unwinds what still runs.
  ~FiberGroup();
  FiberGroup(const FiberGroup&) = delete;
  FiberGroup& operator=(const FiberGroup&) = delete;

  // `body` runs when the fibers are next run, after those that are ready already; it must not throw anything but
  // Unwind. The task lives until it has ended and the fibers were run. Throws std::bad_alloc.
  FiberTask& start(std::function<void()> body);

  // From the thread's own flow: runs ready fibers until all wait.
  void run();

  // From a fiber of this group: suspends it until wake(). Throws Unwind when the task is to unwind, and again at every
  // further call; after 100 times it never returns, and the fiber's memory is given up (S19).
  void park();
  void wake(FiberTask& task);

  // Unwinds one fiber, and returns when it has ended or is parked for good: what it refers to may go then. From another
  // fiber of this group or the thread's own flow; for the calling fiber itself, its next park throws.
  void unwind(FiberTask& task);
  // From the thread's own flow: unwinds all fibers, newest first, for a fiber may refer to what an older one holds.
  // Returns how many refused and were given up.
  std::size_t unwind_all();

  // The group is about to run: brings to the cache what its first fiber touches when it goes on, in two steps, the
  // second of which follows what the first has brought.
  void prefetch_task() const;
  void prefetch_stack() const;

  // The task whose fiber is running; null outside of this group's fibers.
  FiberTask* current() const { return current_; }
  std::size_t size() const { return tasks_.size(); }

 private:
  void enter(FiberTask& task) noexcept;
  void suspend(FiberTask& task);
  void resume_unwinder(FiberTask& task);
  FiberTask* newest_living() const;
  void reap();

  std::shared_ptr<StackPool> stacks_;
  std::vector<std::unique_ptr<FiberTask>> tasks_;
  FiberTask* current_ = nullptr;
};

}  // namespace bobbin
