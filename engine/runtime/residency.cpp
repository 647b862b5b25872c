#include "engine/runtime/residency.hpp"

#include <bobbin/assert.hpp>

#include <algorithm>

namespace bobbin {

namespace {

// Of all resident instances, children included: each has a stack, which is two of the system's memory mappings.
constexpr std::size_t fibers_max = 16'000;

bool begins_with_start(const History& history) {
  if (history.empty()) return false;
  const auto& inputs = inputs_of(history.front());
  return !inputs.empty() && std::holds_alternative<StartInput>(inputs.front());
}

const StartInput& start_of(const History& history) { return std::get<StartInput>(inputs_of(history.front()).front()); }

}  // namespace

bool Residency::make_room(Lsn durable) {
  const auto full = [this] {
    return recent_.size() >= core_.options.resident_instances || (!recent_.empty() && stacks_->in_use() >= fibers_max);
  };
  for (auto at = recent_.end(); full() && at != recent_.begin();) {
    auto& instance = **--at;
    if (instance.state.last_record > durable) continue;
    ++at;  // the evicted one leaves the list
    remove(instance);
    core_.counters.evictions.add();
  }
  return !full();
}

void Residency::begin(Instance& instance, const InstanceName& name, const Id128& epoch) {
  const auto* code = core_.registry.find_orchestrator(name.orchestrator);
  expect(code, "a run begins only with registered code");
  settle(instance, std::make_unique<Execution>(*code, name, core_.log.next_lsn(), stacks_), epoch);
}

void Residency::settle(Instance& instance, std::unique_ptr<Execution> execution, const Id128& epoch) {
  instance.execution = std::move(execution);
  instance.epoch = epoch;
  recent_.push_front(&instance);
  instance.recently_used = recent_.begin();
  core_.counters.resident.set(recent_.size());
}

History Residency::history_of(const InstanceState& state) {
  History history;
  history.reserve(state.run_sequence);
  for (auto lsn = state.last_record; lsn != 0;) {
    const auto record = core_.log.fetch(lsn);
    if (!record || record->run != state.run)
      throw Corrupt("the history of instance " + to_hex(state.id) + " lacks record " + std::to_string(lsn) +
                    ": run 'bobbin verify'");
    history.push_back(*record);
    lsn = record->run_previous;
  }
  std::reverse(history.begin(), history.end());
  if (!begins_with_start(history))
    throw Corrupt("the history of instance " + to_hex(state.id) + " does not begin with a start: run 'bobbin verify'");
  return history;
}

bool Residency::load(Instance& instance) {
  const auto& state = instance.state;
  const auto* code = core_.registry.find_orchestrator(state.name.orchestrator);
  if (!code) {
    hold_without_code(instance);
    return false;
  }
  const auto history = history_of(state);
  auto execution = std::make_unique<Execution>(*code, state.name, state.run, stacks_);
  const auto result = replay(history, *execution, core_.options.strict_replay);
  core_.counters.replays.add();
  core_.counters.payload_differences.add(result.payload_differences);
  if (result.payload_differences != 0)
    core_.say(LogLevel::warning, "replay of run " + std::to_string(state.run) + " decided other payloads " +
                                     std::to_string(result.payload_differences) + " times; the recorded ones count");
  if (result.divergence) {
    unwind(instance, *execution);
    quarantine(instance, *result.divergence);
    return false;
  }
  settle(instance, std::move(execution), start_of(history).epoch);
  if (state.quarantined) {
    core_.say(LogLevel::info, "run " + std::to_string(state.run) + " matches its history again: out of quarantine");
    core_.log.append(state.id, QuarantineBody{true, 0, {}, {}});
  }
  return true;
}

void Residency::hold_without_code(Instance& instance) {
  instance.held = true;
  core_.counters.unregistered.add();
  core_.say(LogLevel::warning, "orchestrator '" + instance.state.name.orchestrator +
                                   "' is not registered: its instances wait for an open whose registry has it");
}

void Residency::quarantine(Instance& instance, const Divergence& divergence) {
  instance.held = true;
  core_.counters.quarantined.add();
  core_.say(LogLevel::error, "run " + std::to_string(instance.state.run) + " of '" + instance.state.name.orchestrator +
                                 "' is quarantined: its code no longer decides what turn " +
                                 std::to_string(divergence.turn) + " recorded: expected " + divergence.expected +
                                 ", found " + divergence.found + "; restore the code that wrote it and reopen");
  if (!instance.state.quarantined)
    core_.log.append(instance.state.id, QuarantineBody{false, divergence.turn, divergence.expected, divergence.found});
}

void Residency::unwind(const Instance& instance, Execution& execution) {
  const auto refused = execution.unwind();
  if (refused == 0) return;
  core_.counters.parked_for_good.add(refused);
  core_.say(LogLevel::error, "orchestrator '" + instance.state.name.orchestrator +
                                 "' swallows the exception that unwinds its fibers: their memory is lost; catch "
                                 "std::exception instead of everything");
}

void Residency::remove(Instance& instance) {
  unwind(instance, *instance.execution);
  instance.execution.reset();
  recent_.erase(instance.recently_used);
  core_.counters.resident.set(recent_.size());
  core_.overlay.release(instance);
}

void Residency::remove_all() {
  while (!recent_.empty()) remove(*recent_.back());
}

}  // namespace bobbin
