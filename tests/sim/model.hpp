// What must hold of a log, worked out from its records alone and without any of the engine's code: every record is held
// against the semantics (S1 to S23, S28) as it becomes durable. The second opinion, and the simulation's memory.
#pragma once

#include "tests/sim/model_state.hpp"
#include "tests/sim/verdict.hpp"

#include <bobbin/options.hpp>
#include <bobbin/store.hpp>

#include <functional>

namespace bobbin::sim {

class Model {
 public:
  Model(const EngineOptions& options, Verdict& verdict) : options_(options), verdict_(verdict) {}

  // The code with which an engine is opened; which runs' turns it can take is known from their first turn.
  void set_code(CodeVersion code) { code_ = code; }
  // The records of one commit, which is durable now.
  void committed(const Batch& batch);
  // The result that an attempt of an activity was given: what may be recorded.
  void outcome_given(const ActivityKey& key, GivenOutcome outcome) { given_[key].push_back(std::move(outcome)); }

  // ---- What is durable ----
  Lsn last_lsn() const { return last_lsn_; }
  LogTime last_time() const { return last_time_; }
  Elapsed last_elapsed() const { return last_elapsed_; }
  std::uint64_t opens() const { return opens_; }
  const std::map<InstanceId, ModelInstance>& instances() const { return instances_; }
  const ModelInstance* instance(const InstanceId& id) const;
  const std::map<Position, ModelEvent>& events() const { return events_; }
  const std::map<Position, ModelLetter>& letters() const { return letters_; }
  const std::map<std::string, ModelLedger>& ledgers() const { return ledgers_; }
  // Acceptances under a dedup id, oldest first.
  const std::vector<ModelAcceptance>& accepted(const InstanceId& id, const std::string& dedup_id) const;
  // Whether the code of this open may take turns of the run.
  bool can_run(const ModelInstance& instance) const;

  // ---- To be asked at rest: all that is due by then has happened ----
  void check_at_rest(LogTime now, Elapsed elapsed, const std::function<bool(const ActivityKey&)>& runs,
                     bool runner_full);
  // No run lives, and nothing of one is left.
  void check_ended();
  // What is missing from the log that holds these records must have been free to go (S28).
  void check_purged(const std::vector<bool>& present, Elapsed elapsed);

 private:
  void read(const Record& record);
  void read_chain(const Record& record, ModelInstance& instance);
  void read_accepted(const Record& record, const AcceptedBody& body, ModelInstance& instance);
  void read_turn(const Record& record, const TurnBody& body, ModelInstance& instance);
  void read_turn_inputs(const Record& record, const TurnBody& body, ModelInstance& instance);
  void read_input(const Record& record, std::uint32_t index, const Input& input, ModelInstance& instance);
  void read_start(const Record& record, const StartInput& start, ModelInstance& instance);
  void check_carried(const Record& record, const Event& event, Position expected);
  void read_event(const Record& record, std::uint32_t index, const EventInput& input, ModelInstance& instance);
  void read_timer(const Record& record, const TimerFired& fired, ModelRun& run);
  void check_overdue(const Record& record, const TurnBody& body, const ModelRun& run, LogTime accepted);
  void read_completed(const Record& record, const ActivityCompleted& done, ModelRun& run);
  void read_failed(const Record& record, std::uint32_t index, const ActivityFailed& failed, ModelInstance& instance);
  void read_attempt(const Record& record, const AttemptBody& attempt, ModelInstance& instance);
  void read_decision(const Record& record, std::uint32_t index, const Decision& decision, ModelInstance& instance);
  void read_taken(const Record& record, const EventTaken& taken, ModelInstance& instance);
  void read_end(const Record& record, const TurnBody& body, ModelInstance& instance);
  void check_fate(const Record& record, const UnreadDisposition& unread, const UnreadDisposition& expected);
  void check_result(const Record& record, const RunEnd& end, const ModelRun& run);
  void read_expiry(const Record& record, const ExpiryBody& body, ModelInstance& instance);
  void read_purge(const Record& record, const OperatorActBody& act);
  void read_act(const Record& record, const OperatorActBody& act);
  void read_quarantine(const Record& record, const QuarantineBody& body, ModelInstance& instance);
  void forget(const InstanceId& id);

  void accepted_under(const Record& record, const std::string& dedup_id, ModelAcceptance acceptance);
  ModelActivity* find_activity(const Record& record, ModelInstance& instance, std::uint32_t ordinal);
  bool was_given(const ModelActivity& activity, std::uint32_t attempt, const ErrorInfo& error,
                 const PayloadPtr& result);
  ModelEvent* pending(const Record& record, Position position, const char* what);
  void settle(ModelEvent& event, Fate fate);
  ModelLedger& ledger_of(const InstanceId& id) { return ledgers_[instances_[id].name.orchestrator]; }
  void broken(const Record& record, const std::string& what);

  const EngineOptions& options_;
  Verdict& verdict_;
  CodeVersion code_;
  Lsn last_lsn_ = 0;
  LogTime last_time_{};
  Elapsed last_elapsed_{};
  std::uint64_t opens_ = 0;
  std::map<InstanceId, ModelInstance> instances_;
  std::map<Position, ModelEvent> events_;
  std::map<Position, ModelLetter> letters_;
  std::map<std::string, ModelLedger> ledgers_;
  std::map<std::pair<InstanceId, std::string>, std::vector<ModelAcceptance>> accepted_;
  std::map<ActivityKey, std::vector<GivenOutcome>> given_;
  std::vector<ModelRecord> records_;  // by LSN, from 1
  std::vector<InstanceId> heirs_;     // whose successor must begin in this commit
  std::set<Position> reviving_;       // redriven events that must re-enter in this commit
};

}  // namespace bobbin::sim
