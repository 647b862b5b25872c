// A gateway that breaks its first promise: its store says "committed" before it has committed. The kill drill must find
// that out.
#include "tools/gateway/program.hpp"

#include <bobbin/lmdb.hpp>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

namespace {

using bobbin::Batch;
using bobbin::LogInfo;
using bobbin::Snapshot;
using bobbin::Store;

// Long enough that a kill at any time finds something that was promised and is not yet written.
constexpr std::chrono::milliseconds lateness{150};

class EarlyAckStore final : public Store {
 public:
  explicit EarlyAckStore(std::unique_ptr<Store> real) : real_(std::move(real)), writer_([this] { write_late(); }) {}
  ~EarlyAckStore() override {
    {
      const std::lock_guard lock(mutex_);
      closing_ = true;
    }
    changed_.notify_all();
    writer_.join();
  }

  std::uint64_t reserve(std::uint64_t bytes) override { return real_->reserve(bytes); }
  LogInfo info() const override { return real_->info(); }

  bobbin::Committed commit(const Batch& batch) override {
    const std::lock_guard lock(mutex_);
    waiting_.emplace_back(std::chrono::steady_clock::now() + lateness, batch);
    ++promised_;
    changed_.notify_all();
    return {};
  }

  // Who reads, reads what was promised; only a crash tells the difference.
  std::unique_ptr<Snapshot> snapshot() override {
    std::unique_lock lock(mutex_);
    const auto promised = promised_;
    changed_.wait(lock, [&] { return written_ >= promised; });
    return real_->snapshot();
  }

 private:
  void write_late() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return closing_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      const auto due = waiting_.front().first;
      if (changed_.wait_until(lock, due, [this] { return closing_; })) return flush(lock);
      write_one(lock);
    }
  }

  void flush(std::unique_lock<std::mutex>& lock) {
    while (!waiting_.empty()) write_one(lock);
  }

  void write_one(std::unique_lock<std::mutex>& lock) {
    const auto batch = std::move(waiting_.front().second);
    waiting_.pop_front();
    lock.unlock();
    real_->commit(batch);
    lock.lock();
    ++written_;
    changed_.notify_all();
  }

  std::unique_ptr<Store> real_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::pair<std::chrono::steady_clock::time_point, Batch>> waiting_;
  std::uint64_t promised_ = 0;
  std::uint64_t written_ = 0;
  bool closing_ = false;
  std::thread writer_;
};

std::unique_ptr<Store> open_early(const std::filesystem::path& directory, const bobbin::LmdbOptions& options) {
  return std::make_unique<EarlyAckStore>(bobbin::open_lmdb(directory, options));
}

}  // namespace

int main(int argc, char** argv) { return bobbin::gateway::run_program(argc, argv, open_early); }
