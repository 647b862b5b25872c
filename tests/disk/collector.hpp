// A host on a log: collects events in windows and delivers them, and knows what was accepted, refused and delivered.
#pragma once

#include <bobbin/engine.hpp>
#include <bobbin/lmdb.hpp>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace bobbin::tests {

// What has left the engine; over all its lives.
class Deliveries {
 public:
  void add(const std::string& key, const std::vector<std::string>& names);
  // Waits until all of these are delivered; false after two minutes.
  bool wait_for(const std::set<std::string>& names);
  bool doubled() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::string> keys_;
  std::set<std::string> names_;
  bool doubled_ = false;
};

// Orchestrator "collect": events of 200 ms, delivered as one list of names; each event is a name and 1,500 bytes more.
Registry collecting(std::function<void(const std::string& key, const std::vector<std::string>&)> deliver);
Accepted send(Engine& engine, const std::string& name);

// Threads that send events without end, each under a name of its own.
class Senders {
 public:
  Senders(Engine& engine, std::string prefix, int threads);
  // Stops and joins.
  ~Senders();
  Senders(const Senders&) = delete;
  Senders& operator=(const Senders&) = delete;

  // Waits until so many more are accepted, or until one is refused with StorageFull; every sender pauses at its first
  // refusal. False after two minutes, or when a sender has met an error.
  bool wait_for_accepted(std::size_t more);
  bool wait_for_refusal();
  // Sends again what was refused, and goes on.
  void resume();

  std::set<std::string> accepted() const;
  std::string errors() const;  // other than StorageFull: what each sender met that it stopped at

 private:
  void run(int thread);

  Engine& engine_;
  std::string prefix_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::string> accepted_;
  std::string errors_;
  std::size_t paused_ = 0;
  std::uint64_t resumed_ = 0;
  bool stop_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace bobbin::tests
