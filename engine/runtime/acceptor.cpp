#include "engine/runtime/acceptor.hpp"

#include <bobbin/assert.hpp>

namespace bobbin {

namespace {

Accepted answer_of(Acceptance how, const InstanceState& state, Position position, LogTime at) {
  return {how, state.id, state.run, state.run_number, position, at};
}

}  // namespace

void Acceptor::accept(AcceptRequest& request, Lsn durable) {
  answer_once_(request.reply, request.id, request.dedup_hash, [&] {
    core_.room.expect_room();
    auto* instance = core_.overlay.find(request.id);
    if (instance) check_stored_name(*instance, request.name);
    check_room();
    return request.with_event ? accept_event(request, instance, durable) : accept_start(request, instance, durable);
  });
}

// ---- Events (S9, S10) ----

Accepted Acceptor::accept_event(AcceptRequest& request, Instance* instance, Lsn durable) {
  const auto now = core_.clock.now();
  if (instance && instance->state.live()) {
    check_room(instance->state);
    auto appended = answer_of(Acceptance::appended, instance->state, {}, now);
    std::vector<Input> inputs;
    inputs.push_back(EventInput{event_of(request), {}});
    const auto position = turns_.deliver(*instance, std::move(inputs), durable);
    const auto& state = instance->state;
    const bool carried =
        state.run != appended.run && state.live() && !state.unread.empty() && state.unread.back().position == position;
    if (carried) return answer_of(Acceptance::successor, state, position, now);
    appended.position = position;
    return appended;
  }
  if (request.with_start) {
    check_registered(request.name.orchestrator);
    return start_run(request, instance_for(request.id), durable);
  }
  if (!instance || instance->state.unknown()) check_registered(request.name.orchestrator);
  if (instance && instance->state.unread.size() >= core_.options.mailbox_events)
    throw Overloaded("the mailbox of this instance of '" + request.name.orchestrator + "' holds " +
                     std::to_string(core_.options.mailbox_events) + " events already: start it, or repeat later");
  auto& owner = instance_for(request.id);
  const auto position = mailbox_.keep(owner, request.name, event_of(request));
  return {Acceptance::mailbox, request.id, 0, 0, position, now};
}

Event Acceptor::event_of(AcceptRequest& request) const {
  Event event;
  event.name = std::move(request.event);
  event.value = std::move(request.value);
  event.dedup_id = request.dedup_id;
  event.with_start = request.with_start;
  if (request.with_start) event.start_input = request.start_input;
  return event;
}

// ---- Starts (S8) ----

Accepted Acceptor::accept_start(AcceptRequest& request, Instance* instance, Lsn durable) {
  check_registered(request.name.orchestrator);
  if (instance && instance->state.live()) {
    switch (request.if_live) {
      case IfLive::use_existing:
        return use_existing(request, *instance);
      case IfLive::fail:
        throw AlreadyExists("a run of this instance of '" + request.name.orchestrator + "' is live (run " +
                            std::to_string(instance->state.run) + ")");
      case IfLive::terminate_existing:
        return replace_run(request, *instance);
    }
  }
  if (instance && instance->state.run != 0) {
    const bool failed = instance->state.status == RunStatus::failed;
    if (request.if_finished == IfFinished::reject || (request.if_finished == IfFinished::only_if_failed && !failed))
      throw AlreadyExists("the last run of this instance of '" + request.name.orchestrator + "' has ended (" +
                          to_string(instance->state.status) + "), and the caller forbids another one");
  }
  return start_run(request, instance_for(request.id), durable);
}

// Nothing of it would stand in the log: the dedup id does, so that it gets this answer also when the run has ended
// (S13).
Accepted Acceptor::use_existing(const AcceptRequest& request, const Instance& instance) {
  const auto& state = instance.state;
  const auto answer = answer_of(Acceptance::existing, state, {state.run, 0}, state.started_at);
  if (!request.dedup_id.empty())
    core_.log.append(state.id, RememberedBody{request.dedup_id, answer.run, answer.position, answer.accepted_at});
  return answer;
}

Accepted Acceptor::start_run(AcceptRequest& request, Instance& instance, Lsn durable) {
  const auto now = core_.clock.now();
  auto start = start_input(request, instance);
  start.carried = turns_.copies_of(mailbox_.alive(instance.state));  // read before anything is appended
  mailbox_.expire(instance);
  std::vector<Input> inputs;
  inputs.push_back(std::move(start));
  if (request.with_event) inputs.push_back(EventInput{event_of(request), {}});
  const auto run = core_.log.next_lsn();
  const auto number = instance.state.run_number + 1;
  const auto position = turns_.deliver(instance, std::move(inputs), durable);
  return {Acceptance::started, instance.state.id, run, number, position, now};
}

Accepted Acceptor::replace_run(AcceptRequest& request, Instance& instance) {
  const auto start = start_input(request, instance);
  const auto position = turns_.terminate(instance, {"replaced by a start", {}}, false, &start);
  return answer_of(Acceptance::started, instance.state, position, core_.clock.now());
}

StartInput Acceptor::start_input(AcceptRequest& request, const Instance& instance) {
  StartInput start;
  start.name = request.name;
  start.input = request.start_input;
  if (!request.with_event) start.dedup_id = request.dedup_id;
  start.run_number = instance.state.run_number + 1;
  start.predecessor = instance.state.run;
  start.begins_at = core_.clock.now();
  start.epoch = core_.overlay.log_state().epoch;
  return start;
}

// ---- Terminate ----

void Acceptor::terminate(TerminateRequest& request) {
  answer_once_(request.reply, request.id, request.dedup_hash, [&] {
    auto* instance = core_.overlay.find(request.id);
    if (!instance || !instance->state.live())
      throw NotFound("no run of this instance is live: there is nothing to end");
    const auto run = instance->state.run;
    const auto number = instance->state.run_number;
    const auto position = turns_.terminate(*instance, {request.reason, request.options.dedup_id},
                                           request.options.discard_events, nullptr);
    return Accepted{Acceptance::done, request.id, run, number, position, core_.clock.now()};
  });
}

// ---- Checks ----

Instance& Acceptor::instance_for(const InstanceId& id) {
  core_.overlay.instance(id);
  return *core_.overlay.resident_row(id);
}

// Only new work is refused: what has been accepted goes on, so that room comes by itself (S25).
void Acceptor::check_room() const {
  if (desk_.pending() >= core_.options.pending_activities)
    throw Overloaded(std::to_string(desk_.pending()) +
                     " activities wait or run already: repeat the call when some of them have ended");
}

void Acceptor::check_room(const InstanceState& state) const {
  const auto waiting = state.unread.size() + state.backlog.size();
  if (waiting >= core_.options.unread_events)
    throw Overloaded("run " + std::to_string(state.run) + " of '" + state.name.orchestrator + "' has " +
                     std::to_string(waiting) + " events that it has not taken: repeat the call when it has caught up");
}

void Acceptor::check_stored_name(const Instance& instance, const InstanceName& name) const {
  if (instance.state.lsn != 0 && instance.state.name != name)
    throw InvalidArgument("instance id " + to_hex(instance.state.id) +
                          " belongs to another name: two names collide (S6)");
}

void Acceptor::check_registered(const std::string& orchestrator) const {
  if (!core_.registry.find_orchestrator(orchestrator))
    throw NotFound("orchestrator '" + orchestrator + "' is not registered with this engine");
}

}  // namespace bobbin
