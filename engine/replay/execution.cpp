#include "engine/replay/execution.hpp"

#include "engine/base/overloaded.hpp"

#include <bobbin/assert.hpp>

#include <utility>

namespace bobbin {

Execution::Execution(const OrchestratorCode& code, InstanceName name, RunId run, std::shared_ptr<StackPool> stacks)
    : code_(code), core_(std::move(name), run, std::move(stacks)) {}

void Execution::begin_turn(LogTime now, bool replaying) {
  core_.decisions().clear();
  core_.set_turn(now, replaying);
  last_timer_before_ = core_.last_ordinal();
}

void Execution::apply(const Input& input) {
  if (end_) return;
  std::visit(
      Overload{
          [this](const StartInput& start_input) { start(start_input); },
          [this](const EventInput& event) { core_.give_event(event.event); },
          [](const AcceptedInput&) { expect(false, "an input named by position is resolved before it is applied"); },
          [this](const TimerFired& timer) { core_.fire_timer(timer.ordinal); },
          [this](const ActivityCompleted& done) { core_.finish_activity(done.ordinal, done.result, {}); },
          [this](const ActivityFailed& failed) { core_.finish_activity(failed.ordinal, nullptr, failed.error); },
          [this](const TerminateInput& terminate) {
            end_ = RunEnd{RunOutcome::terminated, nullptr, {ErrorCode::terminated, {}, terminate.reason, true}, {}};
          },
      },
      input);
  if (end_) refused_ += core_.stop();
}

std::size_t Execution::unwind() {
  refused_ += core_.stop();
  return std::exchange(refused_, 0);
}

void Execution::start(const StartInput& start) {
  for (const auto& event : start.carried) core_.buffer_event(event);
  core_.start_main([this, input = start.input] { run_code(input); });
}

void Execution::run_code(const PayloadPtr& input) {
  RunEnd end;
  try {
    end.result = code_(context_, input);
  } catch (const Unwind&) {
    throw;
  } catch (...) {
    end.outcome = RunOutcome::failed;
    end.error = current_error();
  }
  end_ = std::move(end);
}

std::optional<Execution::DueTimer> Execution::due_timer(LogTime time) const {
  const auto* timer = core_.first_timer();
  if (!timer || timer->time > time) return std::nullopt;
  return DueTimer{timer->ordinal, timer->ordinal > last_timer_before_};
}

}  // namespace bobbin
