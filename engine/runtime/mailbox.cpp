#include "engine/runtime/mailbox.hpp"

#include <bobbin/assert.hpp>

#include <algorithm>

namespace bobbin {

namespace {
// One record of expiries stays small, however full the mailbox is.
constexpr std::size_t expiries_a_record = 1'024;
}  // namespace

Position Mailbox::keep(Instance& instance, const InstanceName& name, Event event) {
  const Position here{core_.log.next_lsn(), 0};
  if (event.position.lsn == 0) {
    event.position = here;
    event.accepted_at = core_.clock.now();
  }
  AcceptedBody body;
  body.inputs.push_back(EventInput{std::move(event), core_.clock.elapsed() + core_.options.mailbox_time_to_live});
  if (instance.state.name.orchestrator.empty()) body.name = name;
  core_.log.append(instance.state.id, std::move(body));
  watch(instance);
  return here;
}

std::vector<UnreadEvent> Mailbox::alive(const InstanceState& state) const {
  expect(!state.live(), "only a mailbox has times to live");
  auto events = state.unread;
  std::erase_if(events, [this](const UnreadEvent& event) { return has_expired(event); });
  return events;
}

void Mailbox::expire(Instance& instance) {
  const auto& state = instance.state;
  if (state.live()) return;
  for (;;) {
    ExpiryBody body;
    for (const auto& event : state.unread) {
      if (has_expired(event)) body.positions.push_back(event.position);
      if (body.positions.size() == expiries_a_record) break;
    }
    if (body.positions.empty()) return;
    core_.log.append(state.id, std::move(body));
  }
}

// The queue counts in log time, which runs ahead of elapsed time: whoever comes too early is armed again.
void Mailbox::watch(Instance& instance) {
  const auto& state = instance.state;
  const auto first = first_expiry(state);
  if (state.live() || !first) return;
  const auto at = add_saturating(core_.clock.now(), std::max(*first - core_.clock.elapsed(), Duration(1)));
  if (instance.armed && *instance.armed <= at) return;
  instance.armed = at;
  core_.timers.arm(state.id, at);
}

}  // namespace bobbin
