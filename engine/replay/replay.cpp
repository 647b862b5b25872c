#include "engine/replay/replay.hpp"

#include "engine/fold/fold.hpp"
#include "engine/replay/decision_match.hpp"

#include <algorithm>

namespace bobbin {

namespace {

class Replayer {
 public:
  Replayer(const History& history, Execution& execution, bool strict)
      : history_(history), execution_(execution), strict_(strict) {}

  ReplayResult run() {
    for (const auto& record : history_) {
      const auto* turn = std::get_if<TurnBody>(&record.body);
      if (!turn) continue;
      repeat(record, *turn);
      ++result_.turns;
      compare(record.lsn, *turn);
      if (result_.divergence) break;
    }
    return std::move(result_);
  }

 private:
  void repeat(const Record& record, const TurnBody& turn) {
    execution_.begin_turn(record.log_time, true);
    for (const auto& input : turn.inputs) {
      const auto* named = std::get_if<AcceptedInput>(&input);
      execution_.apply(named ? accepted_input(history_, named->position) : input);
    }
  }

  void compare(Lsn lsn, const TurnBody& turn) {
    const auto& found = execution_.decisions();
    const auto both = std::min(found.size(), turn.decisions.size());
    for (std::size_t i = 0; i < both; ++i)
      if (!accept(match(turn.decisions[i], found[i])))
        return diverge(lsn, describe(turn.decisions[i]), describe(found[i]));
    if (found.size() > both) return diverge(lsn, "no further decision", describe(found[both]));
    if (turn.decisions.size() > both) return diverge(lsn, describe(turn.decisions[both]), "no further decision");
    compare_ends(lsn, turn.end, execution_.end());
  }

  void compare_ends(Lsn lsn, const std::optional<RunEnd>& recorded, const std::optional<RunEnd>& found) {
    if (!recorded && !found) return;
    if (recorded && found && accept(match(*recorded, *found))) return;
    diverge(lsn, recorded ? describe(*recorded) : "the run goes on", found ? describe(*found) : "the run goes on");
  }

  bool accept(DecisionMatch match) {
    result_.payload_differences += match == DecisionMatch::payload_differs;
    return match == DecisionMatch::same || (match == DecisionMatch::payload_differs && !strict_);
  }

  void diverge(Lsn lsn, std::string expected, std::string found) {
    result_.divergence = {lsn, std::move(expected), std::move(found)};
  }

  const History& history_;
  Execution& execution_;
  bool strict_;
  ReplayResult result_;
};

}  // namespace

ReplayResult replay(const History& history, Execution& execution, bool strict) {
  return Replayer(history, execution, strict).run();
}

const Input& accepted_input(const History& history, Position position) {
  const auto at = std::lower_bound(history.begin(), history.end(), position.lsn,
                                   [](const Record& record, Lsn lsn) { return record.lsn < lsn; });
  if (at == history.end() || at->lsn != position.lsn || position.index >= inputs_of(*at).size())
    throw Corrupt("a turn names the accepted input " + to_string(position) + ", which its run's history does not hold");
  return inputs_of(*at)[position.index];
}

}  // namespace bobbin
