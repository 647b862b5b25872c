// A commit that fails (P10, S26): the engine stops at once, says why, and a repeated dedup id takes effect once.
#include <bobbin/engine.hpp>
#include <bobbin/memory_store.hpp>

#include <doctest/doctest.h>

#include <atomic>

using namespace bobbin;

namespace {

enum class Fault { before_the_commit, after_the_commit };

// Fails one commit, with or without having made it, as a disk may.
class FailingStore final : public Store {
 public:
  FailingStore(std::unique_ptr<Store> store, Fault fault, std::atomic<bool>& armed)
      : store_(std::move(store)), fault_(fault), armed_(armed) {}
  LogInfo info() const override { return store_->info(); }
  std::uint64_t reserve(std::uint64_t bytes) override { return store_->reserve(bytes); }
  std::unique_ptr<Snapshot> snapshot() override { return store_->snapshot(); }
  Committed commit(const Batch& batch) override {
    if (!armed_) return store_->commit(batch);
    if (fault_ == Fault::after_the_commit) store_->commit(batch);
    throw OutcomeUnknown("the disk answered EIO");
  }

 private:
  std::unique_ptr<Store> store_;
  Fault fault_;
  std::atomic<bool>& armed_;
};

Registry registry() {
  Registry registry;
  registry.orchestrator("count", [](Context& ctx, const Nothing&) {
    for (int i = 0; i < 3; ++i) ctx.wait_for_event<std::string>("tick");
  });
  return registry;
}

const InstanceName counter{"count", "one"};

void fail_and_recover(Fault fault) {
  const auto disk = MemoryDisk::create(1);
  std::atomic<bool> armed{false};
  std::string last_word;
  {
    EngineOptions options;
    options.on_failure = [&last_word](const ErrorInfo& error) { last_word = error.message; };
    Engine engine(std::make_unique<FailingStore>(disk->open(), fault, armed), registry(), options);
    engine.raise_event_with_start(counter, Nothing{}, "tick", std::string("1"), {.dedup_id = "1"});
    armed = true;
    CHECK_THROWS_AS(engine.raise_event(counter, "tick", std::string("2"), {.dedup_id = "2"}), OutcomeUnknown);
    CHECK(last_word == "the disk answered EIO");
    CHECK(engine.stats().failed);
    CHECK_THROWS_AS(engine.raise_event(counter, "tick", std::string("3"), {.dedup_id = "3"}), Error);
  }
  Engine engine(disk->open(), registry());
  const auto repeated = engine.raise_event(counter, "tick", std::string("2"), {.dedup_id = "2"});
  CHECK((repeated.how == Acceptance::duplicate) == (fault == Fault::after_the_commit));
  engine.raise_event(counter, "tick", std::string("3"), {.dedup_id = "3"});
  CHECK(engine.wait(counter).state.status == RunStatus::completed);
  const auto ledger = engine.ledgers().front();
  CHECK(ledger.accepted == 3);
  CHECK(ledger.consumed == 3);
}

}  // namespace

TEST_CASE("P10: a failed commit stops the engine, and a repetition takes effect once: nothing was written") {
  fail_and_recover(Fault::before_the_commit);
}

TEST_CASE("P10: a failed commit stops the engine, and a repetition takes effect once: it was written after all") {
  fail_and_recover(Fault::after_the_commit);
}

TEST_CASE("P10: who waits for an end is told when the engine stops") {
  const auto disk = MemoryDisk::create(1);
  std::atomic<bool> armed{false};
  Engine engine(std::make_unique<FailingStore>(disk->open(), Fault::before_the_commit, armed), registry());
  engine.start(counter, Nothing{});
  std::atomic<bool> told{false};
  engine.wait(counter, [&told](const Result<InstanceStatus>& status) {
    told = true;
    CHECK(status.error.code == ErrorCode::outcome_unknown);
    told.notify_one();
  });
  engine.status(counter);  // the wait is in place
  armed = true;
  CHECK_THROWS_AS(engine.raise_event(counter, "tick", std::string("x")), OutcomeUnknown);
  told.wait(false);
  CHECK(told);
}
