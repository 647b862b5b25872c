// The words by which tools and messages call kinds and states.
#include <bobbin/requests.hpp>
#include <bobbin/state.hpp>

namespace bobbin {

namespace {
struct KindName {
  const char* operator()(const OpenedBody&) const { return "opened"; }
  const char* operator()(const AcceptedBody&) const { return "accepted"; }
  const char* operator()(const TurnBody&) const { return "turn"; }
  const char* operator()(const AttemptBody&) const { return "attempt"; }
  const char* operator()(const OperatorActBody&) const { return "operator_act"; }
  const char* operator()(const ExpiryBody&) const { return "expiry"; }
  const char* operator()(const ClockStepBody&) const { return "clock_step"; }
  const char* operator()(const SchemaBody&) const { return "schema"; }
  const char* operator()(const QuarantineBody&) const { return "quarantine"; }
  const char* operator()(const RememberedBody&) const { return "remembered"; }
};
}  // namespace

const char* kind_name(const RecordBody& body) { return std::visit(KindName{}, body); }

const char* to_string(RunStatus status) {
  switch (status) {
    case RunStatus::none:
      return "none";
    case RunStatus::running:
      return "running";
    case RunStatus::completed:
      return "completed";
    case RunStatus::failed:
      return "failed";
    case RunStatus::terminated:
      return "terminated";
  }
  return "unknown";
}

const char* to_string(DeadLetterState state) {
  switch (state) {
    case DeadLetterState::dead:
      return "dead";
    case DeadLetterState::redriving:
      return "redriving";
    case DeadLetterState::redriven:
      return "redriven";
    case DeadLetterState::discarded:
      return "discarded";
  }
  return "unknown";
}

const char* to_string(Acceptance acceptance) {
  switch (acceptance) {
    case Acceptance::started:
      return "started";
    case Acceptance::existing:
      return "existing";
    case Acceptance::appended:
      return "appended";
    case Acceptance::mailbox:
      return "mailbox";
    case Acceptance::successor:
      return "successor";
    case Acceptance::duplicate:
      return "duplicate";
    case Acceptance::done:
      return "done";
  }
  return "unknown";
}

}  // namespace bobbin
