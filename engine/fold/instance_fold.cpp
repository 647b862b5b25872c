#include "engine/fold/instance_fold.hpp"

#include "engine/base/overloaded.hpp"

#include <bobbin/assert.hpp>

#include <algorithm>

namespace bobbin {

namespace {

template <class T>
void erase_ordinal(std::vector<T>& items, std::uint32_t ordinal) {
  std::erase_if(items, [ordinal](const T& item) { return item.ordinal == ordinal; });
}

class InstanceFold {
 public:
  InstanceFold(const Record& record, InstanceState& state, FoldTarget& target)
      : record_(record), state_(state), target_(target) {}

  void fold() {
    if (record_.run != 0 && record_.run == state_.run) {
      state_.run_sequence = record_.run_sequence;
      state_.last_record = record_.lsn;
    }
    std::visit(Overload{
                   [](const OpenedBody&) {},
                   [this](const AcceptedBody& body) { accepted(body); },
                   [this](const TurnBody& body) { turn(body); },
                   [this](const AttemptBody& body) { attempt(body); },
                   [this](const OperatorActBody& body) { operate(body); },
                   [this](const ExpiryBody& body) { expire(body); },
                   [](const ClockStepBody&) {},
                   [](const SchemaBody&) {},
                   [this](const QuarantineBody& body) { state_.quarantined = !body.released; },
                   [](const RememberedBody&) {},
               },
               record_.body);
  }

 private:
  void accepted(const AcceptedBody& body) {
    if (state_.name.orchestrator.empty() && !body.name.orchestrator.empty()) state_.name = body.name;
    take_in(body.inputs, true);
  }

  void turn(const TurnBody& body) {
    take_in(body.inputs, false);
    state_.begun = true;
    for (std::uint32_t i = 0; i < body.decisions.size(); ++i) decide(body.decisions[i], i);
    remove_given();
    remove_taken();
    if (body.end) end(*body.end);
  }

  // Inputs are given in order, so what a turn was given is the backlog's beginning.
  void remove_given() {
    expect(given_.size() <= state_.backlog.size() && std::equal(given_.begin(), given_.end(), state_.backlog.begin()),
           "a turn is given the backlog from its beginning");
    state_.backlog.erase(state_.backlog.begin(), state_.backlog.begin() + static_cast<std::ptrdiff_t>(given_.size()));
  }

  // One pass however many were taken: a long queue is drained in many turns.
  void remove_taken() {
    if (taken_.empty()) return;
    state_.took_event = true;
    std::sort(taken_.begin(), taken_.end());
    std::erase_if(state_.unread, [this](const UnreadEvent& event) {
      return std::binary_search(taken_.begin(), taken_.end(), event.position);
    });
  }

  void take_in(const std::vector<Input>& inputs, bool later) {
    for (std::uint32_t i = 0; i < inputs.size(); ++i) {
      const Position here{record_.lsn, i};
      input(inputs[i], here);
      if (later && state_.live()) state_.backlog.push_back(here);
    }
  }

  void input(const Input& input, Position here) {
    std::visit(Overload{
                   [this](const StartInput& start) { begin_run(start); },
                   [this](const EventInput& event) { add_event(event); },
                   [this](const AcceptedInput& accepted) { given_.push_back(accepted.position); },
                   [this](const TimerFired& timer) { erase_ordinal(state_.timers, timer.ordinal); },
                   [this](const ActivityCompleted& done) { erase_ordinal(state_.activities, done.ordinal); },
                   [this, here](const ActivityFailed& failed) { fail_activity(failed, here); },
                   [](const TerminateInput&) {},
               },
               input);
  }

  void begin_run(const StartInput& start) {
    InstanceState fresh;
    fresh.lsn = state_.lsn;
    fresh.id = record_.instance;
    fresh.name = start.name;
    fresh.status = RunStatus::running;
    fresh.run = record_.lsn;
    fresh.run_number = start.run_number;
    fresh.failed_in_a_row = start.failed_in_a_row;
    fresh.run_sequence = 1;
    fresh.last_record = record_.lsn;
    fresh.started_at = record_.log_time;
    fresh.begins_at = start.begins_at;
    fresh.purged_through = state_.purged_through;
    for (const auto& event : start.carried)
      fresh.unread.push_back(
          {event.position, event.name, event.accepted_at, event.carry_count, event.with_start, record_.lsn, Elapsed{}});
    state_ = std::move(fresh);
  }

  void add_event(const EventInput& input) {
    const auto& event = input.event;
    state_.unread.push_back({event.position, event.name, event.accepted_at, event.carry_count, event.with_start,
                             record_.lsn, state_.live() ? Elapsed{} : input.mailbox_expires_at});
  }

  void fail_activity(const ActivityFailed& failed, Position here) {
    const auto at = std::find_if(state_.activities.begin(), state_.activities.end(),
                                 [&](const PendingActivity& activity) { return activity.ordinal == failed.ordinal; });
    if (at == state_.activities.end()) return;
    if (failed.dead_letter) {
      auto& letter = target_.dead_letter(here);
      if (letter.lsn < record_.lsn) {
        letter = {
            record_.lsn, here,     DeadLetterState::dead, state_.name,    state_.run, record_.log_time, failed.error,
            true,        at->name, at->decision,          failed.ordinal, 0};
        target_.changed(letter);
      }
    }
    state_.activities.erase(at);
  }

  void decide(const Decision& decision, std::uint32_t index) {
    std::visit(Overload{
                   [&](const ActivityScheduled& scheduled) {
                     state_.activities.push_back({scheduled.ordinal,
                                                  scheduled.name,
                                                  {record_.lsn, index},
                                                  0,
                                                  target_.log_state().opens,
                                                  record_.log_time,
                                                  LogTime{}});
                   },
                   [this](const ActivityCancelled& gone) { erase_ordinal(state_.activities, gone.ordinal); },
                   [this](const TimerCreated& timer) {
                     state_.timers.push_back({timer.ordinal, timer.due});
                   },
                   [this](const TimerCancelled& gone) { erase_ordinal(state_.timers, gone.ordinal); },
                   [this](const EventTaken& taken) { taken_.push_back(taken.position); },
                   [](const WaitCancelled&) {},
               },
               decision);
  }

  void attempt(const AttemptBody& body) {
    for (auto& activity : state_.activities)
      if (activity.ordinal == body.ordinal) {
        ++activity.failures;
        activity.retry_at = body.retry_at;
      }
  }

  void end(const RunEnd& end) {
    state_.end_record = record_.lsn;
    state_.ended_elapsed = record_.elapsed;
    state_.quarantined = false;
    state_.error = end.error;
    state_.failed_in_a_row = end.outcome == RunOutcome::failed ? state_.failed_in_a_row + 1 : 0;
    switch (end.outcome) {
      case RunOutcome::completed:
        state_.status = RunStatus::completed;
        break;
      case RunOutcome::failed:
        state_.status = RunStatus::failed;
        break;
      case RunOutcome::terminated:
        state_.status = RunStatus::terminated;
        break;
    }
    state_.backlog.clear();
    state_.timers.clear();
    state_.activities.clear();
    auto unread = std::move(state_.unread);
    state_.unread.clear();
    expect(unread.size() == end.unread.size(), "the end of a run names every unread event");
    for (std::size_t i = 0; i < unread.size(); ++i) dispose(std::move(unread[i]), end.unread[i]);
  }

  void dispose(UnreadEvent event, const UnreadDisposition& disposition) {
    expect(event.position == disposition.position, "the end of a run names unread events in order");
    switch (disposition.fate) {
      case UnreadFate::successor:  // its copy stands in the start record that follows in the same commit
      case UnreadFate::discarded:
        return;
      case UnreadFate::mailbox:
        event.carry_count = disposition.carry_count;
        event.mailbox_expires_at = disposition.mailbox_expires_at;
        state_.unread.push_back(std::move(event));
        return;
      case UnreadFate::dead_lettered:
        event.carry_count = disposition.carry_count;
        bury(event);
        return;
    }
  }

  void bury(const UnreadEvent& event) {
    auto& letter = target_.dead_letter(event.position);
    if (letter.lsn >= record_.lsn) return;
    const ErrorInfo cause{ErrorCode::application, "unread",
                          "carried over " + std::to_string(event.carry_count) + " times by runs that took no event",
                          true};
    letter = {record_.lsn, event.position, DeadLetterState::dead, state_.name, state_.run,     record_.log_time, cause,
              false,       event.name,     {event.source, 0},     0,           letter.redrives};
    target_.changed(letter);
  }

  void operate(const OperatorActBody& body) {
    if (body.act == OperatorAct::purge) return purge();
    // A dead letter outlives the row of its instance.
    if (state_.name.orchestrator.empty()) state_.name = target_.dead_letter(body.target).name;
  }

  // As if the instance had never been, but for the events that wait for it.
  void purge() {
    InstanceState unborn;
    unborn.id = state_.id;
    unborn.name = std::move(state_.name);
    unborn.unread = std::move(state_.unread);
    unborn.purged_through = record_.lsn;
    state_ = std::move(unborn);
  }

  void expire(const ExpiryBody& body) {
    auto gone = body.positions;
    std::sort(gone.begin(), gone.end());
    std::erase_if(state_.unread, [&gone](const UnreadEvent& event) {
      return std::binary_search(gone.begin(), gone.end(), event.position);
    });
  }

  const Record& record_;
  InstanceState& state_;
  FoldTarget& target_;
  std::vector<Position> given_;  // inputs of the backlog that the turn was given
  std::vector<Position> taken_;  // events that it took
};

}  // namespace

void fold_instance(const Record& record, InstanceState& state, FoldTarget& target) {
  InstanceFold(record, state, target).fold();
}

}  // namespace bobbin
