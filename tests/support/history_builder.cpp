#include "tests/support/history_builder.hpp"

namespace bobbin::testing {

HistoryBuilder& HistoryBuilder::turn(Duration later) { return add(TurnBody{}, later); }
HistoryBuilder& HistoryBuilder::accepted(Duration later) { return add(AcceptedBody{}, later); }

HistoryBuilder& HistoryBuilder::add(RecordBody body, Duration later) {
  now_ += later;
  Record record;
  record.lsn = history_.size() + 1;
  record.run = 1;
  record.run_sequence = record.lsn;
  record.run_previous = record.lsn - 1;
  record.log_time = now_;
  record.body = std::move(body);
  history_.push_back(std::move(record));
  return *this;
}

HistoryBuilder& HistoryBuilder::input(Input input) {
  auto& record = history_.back();
  auto* accepted = std::get_if<AcceptedBody>(&record.body);
  auto& inputs = accepted ? accepted->inputs : last_turn().inputs;
  if (auto* event = std::get_if<EventInput>(&input)) {
    last_event_ = {record.lsn, static_cast<std::uint32_t>(inputs.size())};
    event->event.position = last_event_;
    event->event.accepted_at = now_;
  }
  inputs.push_back(std::move(input));
  return *this;
}

HistoryBuilder& HistoryBuilder::start(const std::string& value, std::vector<Event> carried) {
  StartInput start;
  start.name = {"it", "k"};
  start.input = encode(value);
  start.carried = std::move(carried);
  return input(std::move(start));
}

HistoryBuilder& HistoryBuilder::event(const std::string& name, const std::string& value) {
  EventInput event;
  event.event.name = name;
  event.event.value = encode(value);
  return input(std::move(event));
}

HistoryBuilder& HistoryBuilder::result(std::uint32_t ordinal, const std::string& value) {
  return input(ActivityCompleted{ordinal, 1, encode(value)});
}

HistoryBuilder& HistoryBuilder::failure(std::uint32_t ordinal, const std::string& type) {
  return input(ActivityFailed{ordinal, 1, {ErrorCode::application, type, "failed", false}, false});
}

HistoryBuilder& HistoryBuilder::schedules(std::uint32_t ordinal, const std::string& activity,
                                          const std::string& value) {
  return decides(ActivityScheduled{ordinal, activity, encode(value), {}});
}

HistoryBuilder& HistoryBuilder::creates_timer(std::uint32_t ordinal, Duration length) {
  return decides(TimerCreated{ordinal, now_ + length});
}

HistoryBuilder& HistoryBuilder::decides(Decision decision) {
  last_turn().decisions.push_back(std::move(decision));
  return *this;
}

HistoryBuilder& HistoryBuilder::completes(const std::string& value) {
  last_turn().end = RunEnd{RunOutcome::completed, encode(value), {}, {}};
  return *this;
}

HistoryBuilder& HistoryBuilder::fails(const std::string& type) {
  last_turn().end = RunEnd{RunOutcome::failed, nullptr, {ErrorCode::application, type, "failed", false}, {}};
  return *this;
}

ReplayResult HistoryBuilder::replay(const Code& code, bool strict) const {
  Registry registry;
  registry.orchestrator("it", code);
  Execution execution(*registry.find_orchestrator("it"), {"it", "k"}, 1, std::make_shared<StackPool>(128u << 10));
  return bobbin::replay(history_, execution, strict);
}

}  // namespace bobbin::testing
