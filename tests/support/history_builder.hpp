// Writes a run's history by hand: turns, what they were given and what they decided. For replay as a pure function.
#pragma once

#include "engine/replay/replay.hpp"

#include <bobbin/codec.hpp>

#include <functional>
#include <string>

namespace bobbin::testing {

class HistoryBuilder {
 public:
  using Code = std::function<std::string(Context&, const std::string&)>;
  static LogTime begin() { return LogTime(std::chrono::seconds(1'700'000'000)); }

  // Begins the next turn, or an accepted record, this long after the record before it.
  HistoryBuilder& turn(Duration later = Duration::zero());
  HistoryBuilder& accepted(Duration later = Duration::zero());

  // ---- Inputs of the record begun last ----
  HistoryBuilder& start(const std::string& input, std::vector<Event> carried = {});
  HistoryBuilder& event(const std::string& name, const std::string& value);
  HistoryBuilder& from_backlog(Position position) { return input(AcceptedInput{position}); }
  HistoryBuilder& timer(std::uint32_t ordinal) { return input(TimerFired{ordinal}); }
  HistoryBuilder& result(std::uint32_t ordinal, const std::string& value);
  HistoryBuilder& failure(std::uint32_t ordinal, const std::string& type);
  Position last_event() const { return last_event_; }

  // ---- Decisions of the turn begun last ----
  HistoryBuilder& schedules(std::uint32_t ordinal, const std::string& activity, const std::string& value);
  HistoryBuilder& creates_timer(std::uint32_t ordinal, Duration length);
  HistoryBuilder& takes(std::uint32_t ordinal, Position event) { return decides(EventTaken{ordinal, event}); }
  HistoryBuilder& decides(Decision decision);
  HistoryBuilder& completes(const std::string& value);
  HistoryBuilder& fails(const std::string& type);

  const History& history() const { return history_; }
  ReplayResult replay(const Code& code, bool strict = true) const;

 private:
  HistoryBuilder& add(RecordBody body, Duration later);
  HistoryBuilder& input(Input input);
  TurnBody& last_turn() { return std::get<TurnBody>(history_.back().body); }

  History history_;
  LogTime now_ = begin();
  Position last_event_;
};

}  // namespace bobbin::testing
