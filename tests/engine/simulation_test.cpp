// A small simulation: random calls, crashes, clocks and lanes under a seed; then the books are checked (P1 to P7, S14).
// BOBBIN_SEED=n runs that seed alone; BOBBIN_SEEDS=n runs so many.
#include "engine/replay/replay.hpp"
#include "tests/support/log_audit.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>

using namespace bobbin;
using namespace bobbin::testing;
using namespace std::chrono_literals;

namespace {

using Text = std::string;

Text pair(Context& ctx, const Text&) {
  const auto first = ctx.wait_for_event<Text>("e").value;
  return first + ctx.wait_for_event<Text>("e").value;
}

Text window(Context& ctx, const Text&) {
  auto closes = ctx.create_timer(2s);
  Text batch;
  while (auto event = ctx.wait_for_event<Text>("e", closes)) batch += event->value;
  return ctx.call_activity<Text>("deliver", batch);
}

Text failing(Context& ctx, const Text&) {
  ctx.wait_for_event<Text>("e");
  ctx.create_timer(100ms).wait();
  throw ApplicationError("Failing", "as it always does");
}

Text retrying(Context& ctx, const Text& input) {
  ActivityOptions options;
  options.retry.max_attempts = 3;
  options.dead_letter_on_failure = true;
  try {
    ctx.call_activity<Text>("deliver", input, options);
  } catch (const ApplicationError&) {
    ctx.create_timer(1s).wait();
  }
  return ctx.wait_for_event<Text>("e").value;
}

Text branching(Context& ctx, const Text&) {
  auto child = ctx.spawn([&ctx] { return ctx.wait_for_event<Text>("e").value; });
  auto other = ctx.expect_event<Text>("other");
  auto patience = ctx.create_timer(5s);
  switch (ctx.when_any({&child, &other, &patience})) {
    case 0:
      return child.join();
    case 1:
      child.cancel();
      return other.get().value + ctx.call_activity<Text>("deliver", Text("other"));
    default:
      return "nobody came";
  }
}

void registration(Registry& registry) {
  registry.orchestrator("pair", pair);
  registry.orchestrator("window", window);
  registry.orchestrator("failing", failing);
  registry.orchestrator("retrying", retrying);
  registry.orchestrator("branching", branching);
  registry.orchestrator("refusing", [](Context&, const Text&) { return Text("took nothing"); });
  registry.activity("deliver", [](const ActivityContext&, const Text& value) { return value; });
}
constexpr std::array orchestrators{"pair", "window", "failing", "retrying", "branching", "refusing"};

class Simulation {
 public:
  explicit Simulation(std::uint64_t seed) : random_(seed), world_(registration, options(random_), seed) {}

  void run(int steps) {
    const int between_checks = chance(4) ? 1 : 20;
    for (int i = 0; i < steps; ++i) {
      step();
      if (i % between_checks == 0) check();
    }
    world_.crash();
    repeat_unanswered();
    for (int i = 0; i < 10; ++i) {
      world_.run_to_rest();
      world_.pass(30s);
    }
    check();
    for (const auto& call : calls_) {
      CHECK(call.answer.given());
      CHECK(call.settled);
    }
  }

 private:
  struct Call {
    InstanceName name;
    Text verb, event, value;
    World::Answer<Accepted> answer;
    bool settled = false;  // answered as done, or refused for good
  };

  static EngineOptions options(std::mt19937_64& random) {
    EngineOptions options;
    constexpr std::size_t resident[]{1, 2, 16'000};
    constexpr std::uint64_t ages[]{1, 3, 20, 8'192};
    options.resident_instances = resident[random() % 3];
    options.checkpoint_age_records = ages[random() % 4];
    options.batch_records = random() % 2 ? 3 : 4'096;
    return options;
  }

  bool chance(std::uint64_t one_in) { return random_() % one_in == 0; }

  void step() {
    switch (random_() % 16) {
      case 0:
      case 1:
      case 2:
      case 3:
        return call();
      case 4:
        world_.clock().advance(Duration(static_cast<Duration::rep>(random_() % 700'000)));
        return world_.executor().wake(Lane::orchestrator);
      case 5:
        return world_.pass(Duration(static_cast<Duration::rep>(random_() % 1'500'000)));
      case 6:
      case 7:
        return end_activity();
      case 8:
        if (chance(4)) operate();
        return;
      case 9:
        if (!chance(4)) return;
        world_.crash();
        return repeat_unanswered();
      case 10:
        if (chance(8)) world_.clock().set_wall(world_.clock().wall_time() + (chance(2) ? 90s : -90s));
        return;
      default:
        world_.executor().run_one();
    }
  }

  void call() {
    constexpr std::array verbs{"event", "event", "both", "both", "both", "start", "replace", "terminate"};
    Call call;
    call.name = {orchestrators[random_() % orchestrators.size()], std::to_string(random_() % 3)};
    call.verb = verbs[random_() % verbs.size()];
    call.event = chance(4) ? "other" : "e";
    call.value = std::to_string(calls_.size());
    calls_.push_back(call);
    send(calls_.size() - 1);
    if (chance(10)) repeat(random_() % calls_.size());
  }

  void send(std::size_t index) {
    auto& call = calls_[index];
    const auto id = std::to_string(index);
    auto& engine = world_.engine();
    call.answer = {};
    if (call.verb == "event")
      engine.raise_event(call.name, call.event, call.value, {.dedup_id = id}, call.answer.callback());
    else if (call.verb == "both")
      engine.raise_event_with_start(call.name, Text("input"), call.event, call.value, {.dedup_id = id},
                                    call.answer.callback());
    else if (call.verb == "terminate")
      engine.terminate(call.name, "", {.dedup_id = id, .discard_events = index % 2 == 0}, call.answer.callback());
    else
      engine.start(
          call.name, call.value,
          {.dedup_id = id, .if_live = call.verb == "start" ? IfLive::use_existing : IfLive::terminate_existing},
          call.answer.callback());
  }

  // What has no answer, or one that leaves it open, is asked again under the same id.
  void repeat_unanswered() {
    note_answers();
    for (std::size_t i = 0; i < calls_.size(); ++i)
      if (!calls_[i].settled) send(i);
  }
  void note_answers() {
    for (auto& call : calls_)
      if (call.answer.given() && call.answer.get().error.code != ErrorCode::outcome_unknown &&
          call.answer.get().error.code != ErrorCode::closed)
        call.settled = true;
  }

  // A client that repeats a call that was answered is told the same.
  void repeat(std::size_t index) {
    note_answers();
    if (!calls_[index].settled || calls_[index].answer.get().error) return;
    const auto first = calls_[index].answer.get().value;
    send(index);
    world_.settle();
    const auto again = calls_[index].answer.get().value;
    CHECK(again.how == Acceptance::duplicate);
    CHECK(again.position == first.position);
    CHECK(again.run == first.run);
    CHECK(again.accepted_at == first.accepted_at);
  }

  void end_activity() {
    auto& tasks = world_.runner().tasks;
    if (tasks.empty()) return;
    const auto at = tasks.begin() + static_cast<std::ptrdiff_t>(random_() % tasks.size());
    auto task = std::move(*at);
    tasks.erase(at);
    if (chance(2))
      task.done({task.input, {}});
    else
      task.done({nullptr, {ErrorCode::application, "Random", "by the simulation", chance(5)}});
  }

  void operate() {
    const auto letters = world_.dead_letters();
    if (letters.empty()) return;
    const auto& letter = letters[random_() % letters.size()];
    if (letter.state != DeadLetterState::dead) return;
    if (chance(3))
      world_.discard(letter.position);
    else
      world_.redrive(letter.position);
  }

  void check() {
    note_answers();
    world_.executor().wake(Lane::orchestrator);  // what is due by now happens before the books are read
    world_.settle();
    const auto ledgers = world_.ledgers();
    note_answers();
    const auto records = world_.records();
    const LogAudit audit(records);
    CHECK(audit.violations == std::vector<Text>{});
    for (const auto& [id, times] : audit.times_accepted) CHECK(times == 1);
    for (const auto& ledger : ledgers) check_ledger(ledger, audit.ledger(ledger.orchestrator));
    for (const auto& call : calls_) check_answer(call, audit);
    check_replays(records);
    CHECK(world_.engine().stats().quarantined == 0);
    CHECK(!world_.engine().stats().failed);
  }

  static void check_ledger(const Ledger& ledger, const Ledger& recount) {
    CHECK(ledger.balanced());
    CHECK(ledger.accepted == recount.accepted);
    CHECK(ledger.consumed == recount.consumed);
    CHECK(ledger.pending == recount.pending);
    CHECK(ledger.dead_lettered == recount.dead_lettered);
    CHECK(ledger.discarded == recount.discarded);
  }

  static void check_answer(const Call& call, const LogAudit& audit) {
    if (!call.answer.given() || call.answer.get().error || (call.verb != "event" && call.verb != "both")) return;
    const auto at = audit.events.find(call.answer.get().value.position);
    REQUIRE(at != audit.events.end());
    CHECK(at->second.value == call.value);
    CHECK(at->second.name == call.event);
  }

  // Every live run's history replays to itself.
  void check_replays(const std::vector<Record>& records) {
    std::map<InstanceId, History> live;
    for (const auto& record : records) {
      if (record.run == 0) continue;
      auto& history = live[record.instance];
      if (record.run == record.lsn) history.clear();
      history.push_back(record);
      const auto* turn = std::get_if<TurnBody>(&record.body);
      if (turn && turn->end) live.erase(record.instance);
    }
    Registry registry;
    registration(registry);
    for (const auto& [id, history] : live) {
      const auto* accepted = std::get_if<AcceptedBody>(&history.front().body);
      const auto& inputs = accepted ? accepted->inputs : std::get<TurnBody>(history.front().body).inputs;
      const auto& name = std::get<StartInput>(inputs.front()).name;
      Execution execution(*registry.find_orchestrator(name.orchestrator), name, history.front().run, stacks_);
      CHECK(!replay(history, execution, true).divergence);
    }
  }

  std::mt19937_64 random_;
  World world_;
  std::shared_ptr<StackPool> stacks_ = std::make_shared<StackPool>(64u << 10);
  std::vector<Call> calls_;
};

std::uint64_t number(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text ? std::stoull(text) : otherwise;
}

}  // namespace

TEST_CASE("P1 to P7: random calls, crashes and orders under many seeds keep every promise") {
  const auto only = number("BOBBIN_SEED", 0);
  const auto first = only ? only : 1;
  const auto last = only ? only : number("BOBBIN_SEEDS", 100);
  for (auto seed = first; seed <= last; ++seed) {
    CAPTURE(seed);
    Simulation(seed).run(200);
  }
}
