// Accepts starts and events: dedup (S13), policies (S8, S9), mailbox (S10).
#pragma once

#include "engine/runtime/activity_desk.hpp"
#include "engine/runtime/answer_once.hpp"
#include "engine/runtime/core.hpp"
#include "engine/runtime/request.hpp"
#include "engine/runtime/turns.hpp"

namespace bobbin {

// Orchestrator lane only.
class Acceptor {
 public:
  Acceptor(Core& core, Turns& turns, Mailbox& mailbox, const ActivityDesk& desk)
      : core_(core), turns_(turns), mailbox_(mailbox), desk_(desk), answer_once_(core) {}

  void accept(AcceptRequest& request, Lsn durable);
  void terminate(TerminateRequest& request);

 private:
  Accepted accept_event(AcceptRequest& request, Instance* instance, Lsn durable);
  Accepted accept_start(AcceptRequest& request, Instance* instance, Lsn durable);
  Accepted use_existing(const AcceptRequest& request, const Instance& instance);
  Accepted start_run(AcceptRequest& request, Instance& instance, Lsn durable);
  Accepted replace_run(AcceptRequest& request, Instance& instance);
  StartInput start_input(AcceptRequest& request, const Instance& instance);
  Event event_of(AcceptRequest& request) const;

  Instance& instance_for(const InstanceId& id);
  void check_room() const;                            // for new work of any kind
  void check_room(const InstanceState& state) const;  // for one more event of a live run
  void check_stored_name(const Instance& instance, const InstanceName& name) const;
  void check_registered(const std::string& orchestrator) const;

  Core& core_;
  Turns& turns_;
  Mailbox& mailbox_;
  const ActivityDesk& desk_;
  AnswerOnce answer_once_;
};

}  // namespace bobbin
