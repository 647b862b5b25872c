// Turns: gives inputs to an instance, runs its fibers, and records what they decided (S1 to S5).
#pragma once

#include "engine/runtime/activity_desk.hpp"
#include "engine/runtime/core.hpp"
#include "engine/runtime/mailbox.hpp"
#include "engine/runtime/residency.hpp"

#include <deque>

namespace bobbin {

// Orchestrator lane only.
class Turns {
 public:
  Turns(Core& core, Residency& residency, ActivityDesk& desk, Mailbox& mailbox)
      : core_(core), residency_(residency), desk_(desk), mailbox_(mailbox) {}

  // Accepts inputs for an instance: a start for one without a live run, others for a live one. In a turn at once if its
  // fibers are in memory and nothing is before them; else in an accepted record, and a turn follows when it can.
  // Returns where the last input stands. Events get that position and the time of acceptance, unless they have one.
  Position deliver(Instance& instance, std::vector<Input> inputs, Lsn durable);

  // Ends a live run without asking its code; `replaced_by` is a start that takes over its unread events, in the same
  // commit (S8). Returns where the terminating input stands, or the start.
  Position terminate(Instance& instance, TerminateInput input, bool discard_events, const StartInput* replaced_by);

  // Gives turns to instances that have work, as far as there is room, at most `limit`. True if some could go on now.
  bool work(std::size_t limit, Lsn durable);
  // Instances that have something to do.
  std::size_t waiting() const { return runnable_.size(); }
  // Looks at an instance whose timer, retry, start or mailbox is due, or which the last open left with work.
  void attend(Instance& instance, LogTime now);

  // Copies of mailbox or unread events, for a start record. `next_record`: the inputs of the record that is appended
  // next, where some of them may stand. Throws Corrupt if the log lacks one; nothing has been appended then.
  std::vector<Event> copies_of(const std::vector<UnreadEvent>& unread, const std::vector<Input>* next_record = nullptr);

 private:
  struct Turn;  // a turn in the making
  bool in_memory(Instance& instance, const std::vector<Input>& inputs, Lsn durable);
  Position take_turn(Instance& instance, std::vector<Input> inputs);
  void run_turn(Turn& turn, std::vector<Input>& inputs);
  static std::vector<Input> new_inputs_of(Turn& turn);
  bool give_backlog(Turn& turn);
  bool give_new(Turn& turn, std::vector<Input>& inputs);
  bool fire_due(Turn& turn, LogTime time);
  void finish(Turn& turn);
  void end_run(Instance& instance, TurnBody&& body, RunEnd end, bool discard_events, const StartInput* replaced_by);
  void prepare_dead_letter(Position position);
  void start_successor(Instance& instance, StartInput start, std::vector<Event> carried);
  StartInput successor_of(const Instance& instance, const Event& starter, RunOutcome outcome, LogTime begins_at);
  Position accept(Instance& instance, std::vector<Input> inputs);
  bool load(Instance& instance);
  // Until the next open, or until it is terminated.
  void hold_damaged(Instance& instance, const Corrupt& damage);
  void follow_up(Instance& instance);
  void make_runnable(Instance& instance);
  void stamp(Input& input, Position here) const;

  Core& core_;
  Residency& residency_;
  ActivityDesk& desk_;
  Mailbox& mailbox_;
  std::deque<Instance*> runnable_;
};

}  // namespace bobbin
