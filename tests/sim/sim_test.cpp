// The simulation of the simulation: the same seed does the same, wherever the log lies; and what it is there to find,
// it finds and makes short.
#include "tests/sim/shrink.hpp"

#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

using namespace bobbin;
using namespace bobbin::sim;

namespace {

Plan plan_of(std::uint64_t seed, bool gateway, bool lmdb) {
  Plan plan;
  plan.seed = seed;
  plan.gateway = gateway;
  plan.lmdb = lmdb;
  return plan;
}

// Says that a commit is done before it is: every third one reaches the log with the one after it.
class LazyStore final : public Store {
 public:
  explicit LazyStore(std::unique_ptr<Store> store) : store_(std::move(store)) {}
  LogInfo info() const override { return store_->info(); }
  Committed commit(const Batch& batch) override {
    auto done = late_ ? store_->commit(*late_) : Committed{};
    late_.reset();
    if (++commits_ % 3 != 0) return store_->commit(batch);
    late_ = batch;
    return done;
  }
  std::unique_ptr<Snapshot> snapshot() override { return store_->snapshot(); }

 private:
  std::unique_ptr<Store> store_;
  std::optional<Batch> late_;
  int commits_ = 0;
};

}  // namespace

TEST_CASE("the same seed gives the same trace, in memory and on LMDB") {
  for (const bool gateway : {false, true})
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
      CAPTURE(seed);
      CAPTURE(gateway);
      const auto first = simulate(plan_of(seed, gateway, false));
      CHECK(first.broken == "");
      CHECK(simulate(plan_of(seed, gateway, false)).trace == first.trace);
      CHECK(simulate(plan_of(seed, gateway, true)).trace == first.trace);
      CHECK(simulate(plan_of(seed + 100, gateway, false)).trace != first.trace);
    }
}

TEST_CASE("P1: a store that acknowledges what it has not written is found, and the steps to it are few") {
  auto plan = plan_of(1, false, false);
  plan.around_store = [](std::unique_ptr<Store> store) { return std::make_unique<LazyStore>(std::move(store)); };
  REQUIRE(!simulate_apart(plan).broken.empty());
  const auto shorter = shrink(plan, 100);
  CHECK(shorter.selection.only.size() <= 10);
  CHECK(!simulate_apart(shorter).broken.empty());
}

TEST_CASE("a list of steps is written and read as text") {
  CHECK(to_text({3, 7, 8, 9, 12}) == "3,7-9,12");
  CHECK(numbers_of("3,7-9,12") == std::set<std::size_t>{3, 7, 8, 9, 12});
  CHECK(numbers_of("").empty());
  CHECK_THROWS_AS(step_kind("nothing"), InvalidArgument);
}
