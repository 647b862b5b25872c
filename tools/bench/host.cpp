#include "tools/bench/host.hpp"

#include <bobbin/lmdb.hpp>

#include <chrono>
#include <stdexcept>
#include <thread>
#include <utility>

namespace bobbin::bench {

namespace {

// Notes where each commit ends; adds nothing else.
class CommitRecorder final : public Store {
 public:
  CommitRecorder(std::unique_ptr<Store> store, CommitLog& commits) : store_(std::move(store)), commits_(commits) {}
  LogInfo info() const override { return store_->info(); }
  std::uint64_t reserve(std::uint64_t bytes) override { return store_->reserve(bytes); }
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

}  // namespace

void CommitLog::add(Lsn last_lsn) {
  const std::lock_guard lock(mutex_);
  if (open_) last_lsns_.push_back(last_lsn);
}

void CommitLog::begin() {
  const std::lock_guard lock(mutex_);
  open_ = true;
  last_lsns_.clear();
}

std::vector<std::uint64_t> CommitLog::end() {
  const std::lock_guard lock(mutex_);
  open_ = false;
  return std::move(last_lsns_);
}

Host::Host(const std::filesystem::path& directory, const HostShape& shape, EngineOptions options) {
  Registry registry;
  workflows::register_sms_consolidation(registry, write_body);
  registry.activity(workflows::deliver_batch, [this](const ActivityContext&, const workflows::BatchDelivery& batch) {
    delivered_ += batch.messages;
    ++batches_;
    return Nothing{};
  });
  window_.length = shape.window;
  window_.max_messages = shape.window_messages;
  sms_.text.assign(shape.event_bytes, 't');
  auto store = std::make_unique<CommitRecorder>(open_lmdb(directory), commits_);
  next_id_ = store->info().last_lsn;  // there are no more events than records
  engine_ = std::make_unique<Engine>(std::move(store), std::move(registry), std::move(options));
}

EventOptions Host::next_id() {
  ++raised_;
  return {.dedup_id = std::to_string(next_id_++)};
}

void Host::raise(std::uint64_t key, Callback<Accepted> callback) {
  engine_->raise_event_with_start({workflows::sms_consolidation, "key" + std::to_string(key)}, window_,
                                  workflows::sms_event, sms_, next_id(), std::move(callback));
}

Accepted Host::raise(std::uint64_t key) {
  return engine_->raise_event_with_start({workflows::sms_consolidation, "key" + std::to_string(key)}, window_,
                                         workflows::sms_event, sms_, next_id());
}

void Host::drain() {
  while (delivered_ < raised_) {
    if (engine_->stats().failed) throw std::runtime_error("the engine failed under load");
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

}  // namespace bobbin::bench
