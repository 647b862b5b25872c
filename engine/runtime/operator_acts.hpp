// Acts of an operator: on dead letters (S14, S31), and on finished instances (S28).
#pragma once

#include "engine/runtime/activity_desk.hpp"
#include "engine/runtime/answer_once.hpp"
#include "engine/runtime/core.hpp"
#include "engine/runtime/request.hpp"
#include "engine/runtime/turns.hpp"

namespace bobbin {

// Orchestrator lane only.
class OperatorActs {
 public:
  OperatorActs(Core& core, Turns& turns, ActivityDesk& desk, Mailbox& mailbox)
      : core_(core), turns_(turns), desk_(desk), mailbox_(mailbox), answer_once_(core) {}

  void act(OperatorRequest& request, Lsn durable);
  void purge(PurgeRequest& request);
  void redrive_done(const AttemptDone& done);
  // Activities whose redriving a crash cut short are to run again: looks at the next `limit` dead letters of before the
  // open. False if none was left.
  bool resume_redrives(std::size_t limit);

 private:
  Accepted perform(const OperatorRequest& request, const DeadLetter& letter, const InstanceId& id, Lsn durable);
  Event event_of(const DeadLetter& letter);
  void revive_event(const DeadLetter& letter, Event event, Lsn durable);

  Core& core_;
  Turns& turns_;
  ActivityDesk& desk_;
  Mailbox& mailbox_;
  AnswerOnce answer_once_;
  Position resumed_up_to_;
  bool all_resumed_ = false;
};

}  // namespace bobbin
