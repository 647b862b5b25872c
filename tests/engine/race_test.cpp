// An event races with the end of its run: 10,000 rounds under seeds, every interleaving counted (P2 to P4, S9, S12).
#include "tests/support/log_audit.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

#include <map>

using namespace bobbin;
using namespace bobbin::testing;
using namespace std::chrono_literals;

namespace {

using Text = std::string;

// Collects for 10 ms. "brief" ends with that; "window" delivers what it has, and whatever arrives meanwhile is unread.
Text collect(Context& ctx) {
  auto first = ctx.wait_for_event<Text>("e");
  auto closes = ctx.create_timer_at(first.accepted_at + 10ms);
  Text batch = first.value;
  while (auto event = ctx.wait_for_event<Text>("e", closes)) batch += event->value;
  return batch;
}

void registration(Registry& registry) {
  registry.orchestrator("brief", [](Context& ctx, const Text&) { return collect(ctx); });
  registry.orchestrator("window",
                        [](Context& ctx, const Text&) { return ctx.call_activity<Text>("deliver", collect(ctx)); });
  registry.activity("deliver", [](const ActivityContext&, const Text& batch) { return batch; });
}

// How the event that raced was accepted, and what became of it.
Text interleaving(const Accepted& answer, const LogAudit::EventFate& fate) {
  const Text how = to_string(answer.how);
  if (fate.fate == Fate::pending) return how + ", in the mailbox";
  if (fate.fate != Fate::consumed) return how + ", not consumed";
  return how + (fate.consumer == answer.run ? ", consumed by that run" : ", carried to the next run");
}

// Rounds of one world: each a key whose run ends by timer, delivery, or an operator, while an event comes in.
class Race {
 public:
  Race(std::uint64_t seed, std::map<Text, int>& counts)
      : random_(seed), world_(registration, {}, seed), counts_(counts) {}

  void run(int rounds) {
    for (int i = 0; i < rounds; ++i) round({i % 2 == 0 ? "window" : "brief", std::to_string(i)});
    finish();
    const auto audit = LogAudit(world_.records());
    CHECK(audit.violations == std::vector<Text>{});
    for (const auto* orchestrator : {"window", "brief"}) {
      const auto expected = audit.ledger(orchestrator);
      const auto ledger = world_.ledger(orchestrator);
      CHECK(ledger.balanced());
      CHECK(ledger.accepted == static_cast<std::uint64_t>(rounds));
      CHECK(ledger.consumed == expected.consumed);
      CHECK(ledger.pending == expected.pending);
      CHECK(ledger.dead_lettered + ledger.discarded + ledger.expired == 0);
    }
    for (const auto& [name, answer] : answers_) {
      REQUIRE(answer.given());
      REQUIRE(!answer.get().error);
      ++counts_[interleaving(answer.get().value, audit.events.at(answer.get().value.position))];
    }
  }

 private:
  void round(const InstanceName& name) {
    world_.event_with_start(name, "", "e", "first");
    World::Answer<Accepted> answer;
    Duration passed{};
    bool raced = false;
    const auto race = [&] {
      if (std::exchange(raced, true)) return;
      if (random_() % 2 == 0)
        world_.engine().raise_event_with_start(name, Text(), "e", Text("raced"), {}, answer.callback());
      else
        world_.engine().raise_event(name, "e", Text("raced"), {}, answer.callback());
    };
    for (int step = 0; step < 60; ++step) switch (random_() % 6) {
        case 0:
          if (step > 20 || random_() % 8 == 0) race();
          break;
        case 1: {
          const Duration time(static_cast<Duration::rep>(random_() % 3'000));
          world_.clock().advance(time);
          passed += time;
          world_.executor().wake(Lane::orchestrator);
          break;
        }
        case 2:
          end_activity();
          break;
        case 3:
          if (random_() % 200 == 0) world_.engine().terminate(name, "raced", {}, [](const Result<Accepted>&) {});
          break;
        default:
          world_.executor().run_one();
      }
    race();
    answers_.emplace_back(name, answer);
  }

  // Without settling: its result races too.
  void end_activity() {
    auto& tasks = world_.runner().tasks;
    if (tasks.empty()) return;
    auto task = std::move(tasks.front());
    tasks.pop_front();
    task.done({task.input, {}});
  }

  void finish() {
    for (int i = 0; i < 5; ++i) {
      world_.run_to_rest();
      world_.pass(20ms);
    }
  }

  std::mt19937_64 random_;
  World world_;
  std::map<Text, int>& counts_;
  std::vector<std::pair<InstanceName, World::Answer<Accepted>>> answers_;
};

}  // namespace

TEST_CASE("P4: an event that races with the end, 10,000 rounds: every interleaving happens and nothing is lost") {
  std::map<Text, int> counts;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    Race(seed, counts).run(100);
  }
  int rounds = 0;
  for (const auto& [what, count] : counts) rounds += count;
  CHECK(rounds == 10'000);
  Text table;
  for (const auto& [what, count] : counts) table += what + ": " + std::to_string(count) + "\n";
  INFO(table);
  for (const auto* what :
       {"appended, consumed by that run", "appended, carried to the next run", "appended, in the mailbox",
        "successor, consumed by that run", "started, consumed by that run", "mailbox, in the mailbox"}) {
    CAPTURE(what);
    CHECK(counts[what] > 0);
  }
}
