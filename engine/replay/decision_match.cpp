#include "engine/replay/decision_match.hpp"

#include "engine/base/overloaded.hpp"

namespace bobbin {

namespace {

bool same_payload(const PayloadPtr& a, const PayloadPtr& b) {
  static const Payload none;
  return (a ? *a : none) == (b ? *b : none);
}

DecisionMatch graded(bool same_target, bool payloads_equal) {
  if (!same_target) return DecisionMatch::different;
  return payloads_equal ? DecisionMatch::same : DecisionMatch::payload_differs;
}

struct Matcher {
  DecisionMatch operator()(const ActivityScheduled& a, const ActivityScheduled& b) const {
    return graded(a.ordinal == b.ordinal && a.name == b.name, a.options == b.options && same_payload(a.input, b.input));
  }
  DecisionMatch operator()(const ActivityCancelled& a, const ActivityCancelled& b) const {
    return graded(a.ordinal == b.ordinal, true);
  }
  DecisionMatch operator()(const TimerCreated& a, const TimerCreated& b) const {
    return graded(a.ordinal == b.ordinal && a.due == b.due, true);
  }
  DecisionMatch operator()(const TimerCancelled& a, const TimerCancelled& b) const {
    return graded(a.ordinal == b.ordinal, true);
  }
  DecisionMatch operator()(const EventTaken& a, const EventTaken& b) const {
    return graded(a.ordinal == b.ordinal && a.position == b.position, true);
  }
  DecisionMatch operator()(const WaitCancelled& a, const WaitCancelled& b) const {
    return graded(a.ordinal == b.ordinal && a.name == b.name, true);
  }
  template <class A, class B>
  DecisionMatch operator()(const A&, const B&) const {
    return DecisionMatch::different;
  }
};

std::string numbered(std::uint32_t ordinal) { return " (#" + std::to_string(ordinal) + ")"; }

}  // namespace

DecisionMatch match(const Decision& recorded, const Decision& found) { return std::visit(Matcher{}, recorded, found); }

DecisionMatch match(const RunEnd& recorded, const RunEnd& found) {
  return graded(recorded.outcome == found.outcome && recorded.error.type == found.error.type,
                recorded.error == found.error && same_payload(recorded.result, found.result));
}

std::string describe(const Decision& decision) {
  return std::visit(
      Overload{
          [](const ActivityScheduled& d) { return "activity '" + d.name + "'" + numbered(d.ordinal); },
          [](const ActivityCancelled& d) { return "cancellation of an activity" + numbered(d.ordinal); },
          [](const TimerCreated& d) {
            return "timer due at " + std::to_string(d.due.time_since_epoch().count()) + " us" + numbered(d.ordinal);
          },
          [](const TimerCancelled& d) { return "cancellation of a timer" + numbered(d.ordinal); },
          [](const EventTaken& d) { return "event " + to_string(d.position) + " taken" + numbered(d.ordinal); },
          [](const WaitCancelled& d) { return "cancellation of a wait for '" + d.name + "'" + numbered(d.ordinal); },
      },
      decision);
}

std::string describe(const RunEnd& end) {
  switch (end.outcome) {
    case RunOutcome::completed:
      return "end of the run: completed";
    case RunOutcome::failed:
      return "end of the run: failed with '" + end.error.type + "'";
    case RunOutcome::terminated:
      return "end of the run: terminated";
  }
  return "end of the run";
}

}  // namespace bobbin
