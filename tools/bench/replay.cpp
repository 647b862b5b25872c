// How fast a long history is replayed, on one core.
#include "engine/replay/replay.hpp"

#include "tools/bench/bare_log.hpp"
#include "tools/bench/figure.hpp"

#include <bobbin/assert.hpp>
#include <bobbin/codec.hpp>
#include <bobbin/options.hpp>

#include <chrono>
#include <string>

namespace bobbin::bench {

namespace {

constexpr std::uint32_t events = 10'000;
constexpr std::uint32_t events_an_activity = 20;

void wait_for_all(Context& context, const std::string&) {
  for (std::uint32_t i = 1; i <= events; ++i) {
    const auto event = context.wait_for_event<std::string>("event");
    if (i % events_an_activity == 0) context.call_activity<std::string>("work", event.value);
  }
}

// Lets an execution take its inputs one by one, and writes down what a log would hold.
class Recorder {
 public:
  explicit Recorder(Execution& execution) : execution_(execution) {}

  void turn(Input input) {
    now_ += std::chrono::milliseconds(1);
    Record record;
    record.lsn = record.run_sequence = history_.size() + 1;
    record.run_previous = history_.size();
    record.run = 1;
    record.log_time = now_;
    if (auto* event = std::get_if<EventInput>(&input)) {
      event->event.position = {record.lsn, 0};
      event->event.accepted_at = now_;
    }
    execution_.begin_turn(now_, false);
    execution_.apply(input);
    TurnBody body;
    body.inputs.push_back(std::move(input));
    body.decisions = execution_.take_decisions();
    body.end = execution_.end();
    record.body = std::move(body);
    history_.push_back(std::move(record));
  }
  // Of the activity that the newest turn scheduled, if it did.
  const ActivityScheduled* scheduled() const {
    for (const auto& decision : std::get<TurnBody>(history_.back().body).decisions)
      if (const auto* activity = std::get_if<ActivityScheduled>(&decision)) return activity;
    return nullptr;
  }
  const History& history() const { return history_; }

 private:
  Execution& execution_;
  History history_;
  LogTime now_{std::chrono::seconds(1'700'000'000)};
};

History record_history(const OrchestratorCode& code, const std::shared_ptr<StackPool>& stacks) {
  Execution execution(code, {"wait", "key"}, 1, stacks);
  Recorder recorder(execution);
  StartInput start;
  start.name = {"wait", "key"};
  start.input = encode(std::string("start"));
  recorder.turn(std::move(start));
  for (std::uint32_t i = 0; i < events; ++i) {
    EventInput event;
    event.event.name = "event";
    event.event.value = encode(std::string(300, 'e'));
    recorder.turn(std::move(event));
    if (const auto* activity = recorder.scheduled())
      recorder.turn(ActivityCompleted{activity->ordinal, 1, encode(std::string("done"))});
  }
  expect(execution.end().has_value(), "the run took all events");
  return recorder.history();
}

}  // namespace

std::vector<Figure> replay_events_per_s(const Settings& settings) {
  Registry registry;
  registry.orchestrator("wait", wait_for_all);
  const auto& code = *registry.find_orchestrator("wait");
  const auto stacks = std::make_shared<StackPool>(EngineOptions{}.fiber_stack_bytes);
  const auto history = record_history(code, stacks);
  std::vector<double> rates;
  using SteadyClock = std::chrono::steady_clock;
  const auto begin = SteadyClock::now();
  while (std::chrono::duration<double>(SteadyClock::now() - begin).count() < settings.seconds / 10) {
    const auto round_begin = SteadyClock::now();
    Execution execution(code, {"wait", "key"}, 1, stacks);
    const auto result = replay(history, execution, true);
    const auto seconds = std::chrono::duration<double>(SteadyClock::now() - round_begin).count();
    expect(!result.divergence && execution.end(), "the history was replayed to its end");
    rates.push_back(events / seconds);
  }
  return {{"replay_events_per_s", median(rates), "events/s", 1'000'000, true}};
}

}  // namespace bobbin::bench
