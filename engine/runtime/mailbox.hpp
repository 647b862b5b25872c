// Mailboxes: events for an instance without a live run, kept for a time to live (S10).
#pragma once

#include "engine/runtime/core.hpp"

namespace bobbin {

// Orchestrator lane only.
class Mailbox {
 public:
  explicit Mailbox(Core& core) : core_(core) {}

  // The event gets its position and its time of acceptance, unless it has them. Returns where it stands in the log.
  Position keep(Instance& instance, const InstanceName& name, Event event);
  // The unread events whose time to live has not passed.
  std::vector<UnreadEvent> alive(const InstanceState& state) const;
  // The others leave and count as expired; to be called before a run gets those that are alive.
  void expire(Instance& instance);
  // Arms the queue for the next one to expire.
  void watch(Instance& instance);

 private:
  bool has_expired(const UnreadEvent& event) const { return event.mailbox_expires_at <= core_.clock.elapsed(); }

  Core& core_;
};

}  // namespace bobbin
