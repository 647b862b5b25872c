#include "tools/bench/load.hpp"

#include "tools/bench/bare_log.hpp"

#include <bobbin/lmdb.hpp>
#include <bobbin/workflows/sms_consolidation.hpp>

#include <chrono>
#include <condition_variable>
#include <ctime>
#include <mutex>
#include <stdexcept>
#include <thread>

namespace bobbin::bench {

namespace {

using SteadyClock = std::chrono::steady_clock;

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

double seconds_since(SteadyClock::time_point begin) {
  return std::chrono::duration<double>(SteadyClock::now() - begin).count();
}

// Where each commit ended, until told that the load is over.
class CommitLog {
 public:
  void add(Lsn last_lsn) {
    const std::lock_guard lock(mutex_);
    if (open_) last_lsns_.push_back(last_lsn);
  }
  void close() {
    const std::lock_guard lock(mutex_);
    open_ = false;
  }
  std::vector<std::uint64_t> take() { return std::move(last_lsns_); }

 private:
  std::mutex mutex_;
  bool open_ = true;
  std::vector<std::uint64_t> last_lsns_;
};

// Notes where each commit ends; adds nothing else.
class CommitRecorder final : public Store {
 public:
  CommitRecorder(std::unique_ptr<Store> store, CommitLog& commits) : store_(std::move(store)), commits_(commits) {}
  LogInfo info() const override { return store_->info(); }
  std::unique_ptr<Snapshot> snapshot() override { return store_->snapshot(); }
  Committed commit(const Batch& batch) override {
    auto done = store_->commit(batch);
    if (!batch.records.empty()) commits_.add(batch.records.back().lsn);
    return done;
  }

 private:
  std::unique_ptr<Store> store_;
  CommitLog& commits_;
};

std::string write_body(const workflows::SmsBatch& batch) {
  std::string body;
  body.reserve(batch.messages.size() * 320);
  for (const auto& message : batch.messages) body.append(message.id).append(" ").append(message.sms.text).append("\n");
  return body;
}

// As many calls in flight as allowed. A loader that has to wait goes on when an eighth of them has landed: waking it
// for each one would measure the scheduler.
class Flight {
 public:
  explicit Flight(std::size_t limit) : limit_(limit), resume_at_(limit - limit / 8) {}
  void take_off() {
    if (++flying_ <= limit_) return;
    std::unique_lock lock(mutex_);
    waiting_ = true;
    room_.wait(lock, [this] { return flying_ <= resume_at_; });
    waiting_ = false;
  }
  void land() {
    if (--flying_ == resume_at_ && waiting_) {
      const std::lock_guard lock(mutex_);
      room_.notify_one();
    }
  }
  void wait_for_all() {
    while (flying_ > 0) std::this_thread::yield();
  }

 private:
  const std::size_t limit_;
  const std::size_t resume_at_;
  std::atomic<std::size_t> flying_{0};
  std::atomic<bool> waiting_{false};
  std::mutex mutex_;
  std::condition_variable room_;
};

class Host {
 public:
  Host(const std::filesystem::path& directory, const LoadShape& shape) : shape_(shape) {
    Registry registry;
    workflows::register_sms_consolidation(registry, write_body);
    registry.activity(workflows::deliver_batch, [this](const ActivityContext&, const workflows::BatchDelivery& batch) {
      delivered_ += batch.messages;
      ++batches_;
      return Nothing{};
    });
    window_.length = shape.window;
    window_.max_messages = shape.window_messages;
    auto store = std::make_unique<CommitRecorder>(open_lmdb(fresh_directory(directory)), commits_);
    engine_ = std::make_unique<Engine>(std::move(store), std::move(registry));
    first_lsn_ = engine_->stats().last_lsn + 1;
    sms_.text.assign(shape.event_bytes, 't');
  }

  InstanceName key(std::uint64_t number) const {
    return {workflows::sms_consolidation, "key" + std::to_string(number % shape_.keys)};
  }
  Engine& engine() { return *engine_; }
  const workflows::SmsWindow& window() const { return window_; }
  const workflows::Sms& sms() const { return sms_; }

  // The load is over: what follows is no part of the comparison.
  void stop_recording() { commits_.close(); }

  void drain(LoadResult& result) {
    while (delivered_ < result.events) {
      if (engine_->stats().failed) throw std::runtime_error("the engine failed under load");
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    result.delivered = delivered_;
    result.batches = batches_;
    result.stats = engine_->stats();
    engine_.reset();
    result.first_lsn = first_lsn_;
    result.commit_lsns = commits_.take();
  }

 private:
  const LoadShape shape_;
  workflows::SmsWindow window_;
  workflows::Sms sms_;
  std::atomic<std::uint64_t> delivered_{0};
  std::atomic<std::uint64_t> batches_{0};
  CommitLog commits_;
  std::uint64_t first_lsn_ = 0;
  std::unique_ptr<Engine> engine_;
};

}  // namespace

LoadResult run_load(const std::filesystem::path& directory, const LoadShape& shape) {
  Host host(directory, shape);
  Flight flight(shape.in_flight);
  LoadResult result;
  const auto begin = SteadyClock::now();
  const auto cpu_begin = cpu_seconds();
  std::mutex latency_mutex;
  while (seconds_since(begin) < shape.seconds) {
    for (int i = 0; i < 64; ++i) {
      flight.take_off();
      const auto number = result.events++;
      const auto sent = SteadyClock::now();
      host.engine().raise_event_with_start(
          host.key(number), host.window(), workflows::sms_event, host.sms(), {.dedup_id = std::to_string(number)},
          [&, sent, sampled = number % 64 == 0](const Result<Accepted>& accepted) {
            if (!accepted) std::abort();  // the load stays within every bound: a refusal makes the figure meaningless
            if (sampled) {
              const std::lock_guard lock(latency_mutex);
              result.latency_us.push_back(1e6 * seconds_since(sent));
            }
            flight.land();
          });
    }
  }
  flight.wait_for_all();
  result.seconds = seconds_since(begin);
  result.cpu_seconds = cpu_seconds() - cpu_begin;
  host.stop_recording();
  host.drain(result);
  return result;
}

LoadResult run_single(const std::filesystem::path& directory, const LoadShape& shape) {
  Host host(directory, shape);
  LoadResult result;
  const auto begin = SteadyClock::now();
  while (seconds_since(begin) < shape.seconds) {
    const auto number = result.events++;
    const auto sent = SteadyClock::now();
    host.engine().raise_event_with_start(host.key(number), host.window(), workflows::sms_event, host.sms(),
                                         {.dedup_id = std::to_string(number)});
    result.latency_us.push_back(1e6 * seconds_since(sent));
  }
  result.seconds = seconds_since(begin);
  host.stop_recording();
  host.drain(result);
  return result;
}

}  // namespace bobbin::bench
