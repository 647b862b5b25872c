#include "engine/runtime/turns.hpp"

#include <bobbin/assert.hpp>

#include <algorithm>
#include <iterator>

namespace bobbin {

namespace {

// Accepted inputs that one turn takes, so that a long backlog does not hold up everybody else.
constexpr std::size_t backlog_a_turn = 256;

}  // namespace

struct Turns::Turn {
  Instance& instance;
  TurnBody body;
  Lsn lsn = 0;
  LogTime now{};
  Position last{};  // where the last new input stands
};

// ---- Ways in ----

Position Turns::deliver(Instance& instance, std::vector<Input> inputs, Lsn durable) {
  if (in_memory(instance, inputs, durable)) return take_turn(instance, std::move(inputs));
  const auto position = accept(instance, std::move(inputs));
  make_runnable(instance);
  return position;
}

bool Turns::in_memory(Instance& instance, const std::vector<Input>& inputs, Lsn durable) {
  if (instance.held || instance.runnable) return false;
  if (const auto* start = std::get_if<StartInput>(&inputs.front())) {
    if (start->begins_at > core_.clock.now() || !residency_.make_room(durable)) return false;
    residency_.begin(instance, start->name, start->epoch);
    return true;
  }
  return instance.execution && instance.state.backlog.empty();
}

Position Turns::accept(Instance& instance, std::vector<Input> inputs) {
  const auto lsn = core_.log.next_lsn();
  for (std::uint32_t i = 0; i < inputs.size(); ++i) stamp(inputs[i], {lsn, i});
  const Position last{lsn, static_cast<std::uint32_t>(inputs.size() - 1)};
  core_.log.append(instance.state.id, AcceptedBody{std::move(inputs), {}});
  return last;
}

void Turns::stamp(Input& input, Position here) const {
  auto* event = std::get_if<EventInput>(&input);
  if (!event || event->event.position.lsn != 0) return;
  event->event.position = here;
  event->event.accepted_at = core_.clock.now();
}

// ---- Instances with work ----

void Turns::make_runnable(Instance& instance) {
  if (instance.runnable || instance.held || !instance.state.live()) return;
  if (!instance.state.begun && instance.state.begins_at > core_.clock.now()) return follow_up(instance);
  instance.runnable = true;
  runnable_.push_back(&instance);
}

bool Turns::work(std::size_t limit, Lsn durable) {
  for (; limit > 0 && !runnable_.empty(); --limit) {
    auto& instance = *runnable_.front();
    if (!instance.execution && !residency_.make_room(durable)) return false;
    runnable_.pop_front();
    instance.runnable = false;
    core_.overlay.release(instance);
    if (!instance.state.live() || instance.held) continue;
    if (instance.execution || load(instance)) take_turn(instance, {});
  }
  return !runnable_.empty();
}

bool Turns::load(Instance& instance) {
  const bool was_quarantined = instance.state.quarantined;
  bool loaded = false;
  if (const auto damage = damage_met_in([&] { loaded = residency_.load(instance); })) {
    hold_damaged(instance, *damage);
    return false;
  }
  if (!loaded) desk_.cancel_waiting(instance.state.run);
  if (loaded && was_quarantined)
    for (const auto& activity : instance.state.activities) desk_.schedule(instance, activity, instance.state.lsn);
  return loaded;
}

// A damaged record that only this run needs must not stop everybody else: nothing of the run is executed any more.
void Turns::hold_damaged(Instance& instance, const Corrupt& damage) {
  if (instance.execution) residency_.remove(instance);
  instance.held = true;
  desk_.cancel_waiting(instance.state.run);
  core_.say_damage("run " + std::to_string(instance.state.run) + " of '" + instance.state.name.orchestrator +
                       "' is held, its events queue until an open after the repair",
                   damage.what());
}

void Turns::attend(Instance& instance, LogTime now) {
  const auto& state = instance.state;
  if (!state.live()) {
    if (state.being_purged()) core_.purge.mark(1, state.lsn);  // of an earlier open
    mailbox_.expire(instance);
    return mailbox_.watch(instance);
  }
  if (instance.held) return;
  if (state.quarantined) return make_runnable(instance);  // nothing of it is executed before it matches (S16)
  for (const auto& activity : state.activities) desk_.schedule(instance, activity, state.lsn);
  const auto due = [now](const PendingTimer& timer) { return timer.due <= now; };
  const bool has_work = !state.backlog.empty() || std::any_of(state.timers.begin(), state.timers.end(), due);
  if (has_work) return make_runnable(instance);
  follow_up(instance);
}

// Arms the queue for the instance's next timer, or gives it a turn if that is due already.
void Turns::follow_up(Instance& instance) {
  const auto& state = instance.state;
  if (!state.live()) return mailbox_.watch(instance);
  std::optional<LogTime> next;
  if (!state.begun) next = state.begins_at;
  for (const auto& timer : state.timers)
    if (!next || timer.due < *next) next = timer.due;
  if (!state.backlog.empty() && state.begun) return make_runnable(instance);
  if (!next || (instance.armed && *instance.armed <= *next)) return;
  if (*next <= core_.clock.now() && state.begun) return make_runnable(instance);
  instance.armed = next;
  core_.timers.arm(state.id, *next);
}

// ---- A turn ----

Position Turns::take_turn(Instance& instance, std::vector<Input> inputs) {
  Turn turn{instance, {}, core_.log.next_lsn(), core_.clock.now(), {}};
  if (const auto damage = damage_met_in([&] { run_turn(turn, inputs); })) {
    // What half of a turn has recorded must not be committed; and a run that begins with this turn has no history yet.
    if (core_.log.next_lsn() != turn.lsn || !instance.state.live()) {
      if (instance.execution) residency_.remove(instance);
      throw *damage;
    }
    hold_damaged(instance, *damage);
    auto queued = new_inputs_of(turn);
    std::move(inputs.begin(), inputs.end(), std::back_inserter(queued));
    if (!queued.empty()) turn.last = accept(instance, std::move(queued));
    return turn.last;
  }
  if (!inputs.empty()) turn.last = accept(instance, std::move(inputs));
  follow_up(instance);
  return turn.last;
}

// Leaves in `inputs` those that this turn could not be given.
void Turns::run_turn(Turn& turn, std::vector<Input>& inputs) {
  residency_.touch(turn.instance);
  turn.instance.execution->begin_turn(turn.now, false);
  const bool all_given = give_backlog(turn) && give_new(turn, inputs);
  if (all_given) fire_due(turn, turn.now);  // else timers wait their turn behind what was accepted before (S5)
  finish(turn);
}

// As they were before a turn that is not recorded.
std::vector<Input> Turns::new_inputs_of(Turn& turn) {
  auto inputs = std::move(turn.body.inputs);
  std::erase_if(inputs, [](const Input& input) {
    return std::holds_alternative<AcceptedInput>(input) || std::holds_alternative<TimerFired>(input);
  });
  for (auto& input : inputs)
    if (auto* event = std::get_if<EventInput>(&input); event && event->event.position.lsn == turn.lsn)
      event->event.position = {};
  return inputs;
}

// False: a timer that this turn created is due before the next input, so the turn ends here (S5).
bool Turns::give_backlog(Turn& turn) {
  auto& execution = *turn.instance.execution;
  const auto& backlog = turn.instance.state.backlog;  // changes when the turn is recorded, not before
  std::shared_ptr<const Record> record;
  std::size_t given = 0;
  for (const auto position : backlog) {
    if (execution.end()) return true;
    if (given++ == backlog_a_turn) return false;
    if (!record || record->lsn != position.lsn) record = core_.log.fetch(position.lsn);
    if (!record || position.index >= inputs_of(*record).size())
      throw Corrupt("the log lacks the accepted input " + to_string(position) + ": run 'bobbin verify'");
    if (!fire_due(turn, record->log_time)) return false;
    if (execution.end()) return true;
    execution.apply(inputs_of(*record)[position.index]);
    turn.body.inputs.push_back(AcceptedInput{position});
  }
  return true;
}

bool Turns::give_new(Turn& turn, std::vector<Input>& inputs) {
  auto& execution = *turn.instance.execution;
  for (std::size_t given = 0; given < inputs.size(); ++given) {
    auto& input = inputs[given];
    if (!execution.end() && !fire_due(turn, turn.now)) {
      inputs.erase(inputs.begin(), inputs.begin() + static_cast<std::ptrdiff_t>(given));
      return false;
    }
    turn.last = {turn.lsn, static_cast<std::uint32_t>(turn.body.inputs.size())};
    stamp(input, turn.last);
    execution.apply(input);
    if (inputs.size() == 1 && turn.body.inputs.empty())
      turn.body.inputs.swap(inputs);  // the usual turn: nothing is moved
    else
      turn.body.inputs.push_back(std::move(input));
  }
  inputs.clear();
  return true;
}

bool Turns::fire_due(Turn& turn, LogTime time) {
  auto& execution = *turn.instance.execution;
  while (!execution.end()) {
    const auto timer = execution.due_timer(time);
    if (!timer) return true;
    if (timer->created_in_this_turn) return false;
    turn.body.inputs.push_back(TimerFired{timer->ordinal});
    execution.apply(turn.body.inputs.back());
  }
  return true;
}

void Turns::finish(Turn& turn) {
  auto& instance = turn.instance;
  auto& execution = *instance.execution;
  turn.body.decisions = execution.take_decisions();
  if (turn.body.inputs.empty() && turn.body.decisions.empty()) return;
  core_.counters.turns.add();
  if (execution.end()) return end_run(instance, std::move(turn.body), *execution.end(), false, nullptr);

  for (const auto& decision : turn.body.decisions)
    if (const auto* cancelled = std::get_if<ActivityCancelled>(&decision))
      desk_.cancel(instance.state.run, cancelled->ordinal);
  core_.log.append(instance.state.id, std::move(turn.body));
  for (const auto& activity : instance.state.activities)
    if (activity.decision.lsn == turn.lsn) desk_.schedule(instance, activity, turn.lsn);
}

}  // namespace bobbin
