#include "tools/inspect/commands.hpp"
#include "tools/inspect/folded_log.hpp"
#include "tools/inspect/record_json.hpp"

#include <bobbin/verify.hpp>

#include <cstdio>

namespace bobbin::inspect {

namespace {

// What must be equal in a row and in the fold of the records up to the row's LSN.
Json comparable(const InstanceState& state) {
  auto json = state_json(state);
  json["last_record"] = state.last_record;
  json["begun"] = state.begun;
  json["took_event"] = state.took_event;
  for (const auto position : state.backlog) json["backlog"].push_back(to_string(position));
  for (const auto& event : state.unread)
    json["events"].push_back({to_string(event.position), event.name, event.carry_count, event.source});
  for (const auto& timer : state.timers)
    json["pending"].push_back({timer.ordinal, timer.due.time_since_epoch().count()});
  for (const auto& activity : state.activities)
    json["running"].push_back({activity.ordinal, activity.name, activity.failures, to_string(activity.decision)});
  return json;
}

// Folds the whole log from its beginning beside the walk, and compares each row when the fold has reached its LSN.
class FoldCheck {
 public:
  explicit FoldCheck(InspectionSnapshot& snapshot) {
    possible_ = snapshot.purged_stretches().empty();  // else there is nothing to fold from
    if (!possible_) return;
    constexpr std::size_t page = 1'000;
    std::optional<InstanceId> after;
    for (auto rows = snapshot.instances(after, page); !rows.empty(); rows = snapshot.instances(after, page)) {
      after = rows.back().id;
      for (auto& row : rows) rows_.emplace(row.id, std::move(row));
    }
    for (auto& ledger : snapshot.ledgers()) ledger_rows_.emplace(ledger.orchestrator, std::move(ledger));
  }

  void take(const Record& record) {
    sound_ &= record.lsn == next_++;  // behind a record that cannot be read the fold is not the log's
    if (!possible_ || !sound_) return;
    fold(record, folded_);
    const auto row = rows_.find(record.instance);
    if (row != rows_.end() && row->second.lsn == record.lsn) {
      const auto& state = folded_.instance(record.instance);
      if (comparable(state) != comparable(row->second))
        issues_.push_back(
            {record.lsn, "the row of instance " + to_hex(record.instance) + " is not what its records give"});
    }
    for (const auto& [name, stored] : ledger_rows_)
      if (stored.lsn == record.lsn && ledger_json(stored) != ledger_json(folded_.ledger(name)))
        issues_.push_back({record.lsn, "the ledger of '" + name + "' is not what the records give"});
  }

  void finish(VerifyReport& report) {
    for (auto& issue : issues_) report.add_issue(issue.lsn, std::move(issue.what));
    if (!possible_) return;
    std::map<std::string, std::uint64_t> pending;
    for (const auto& [id, state] : folded_.changed_instances()) pending[state.name.orchestrator] += state.unread.size();
    for (const auto& [name, ledger] : folded_.ledgers()) {
      if (!ledger.balanced()) report.add_issue(ledger.lsn, "the ledger of '" + name + "' is not balanced");
      if (ledger.pending != pending[name])
        report.add_issue(ledger.lsn, "the ledger of '" + name + "' has " + std::to_string(ledger.pending) +
                                         " events pending, its instances " + std::to_string(pending[name]));
    }
  }
  bool possible() const { return possible_; }

 private:
  bool possible_ = false;
  bool sound_ = true;
  Lsn next_ = 1;
  FoldedLog folded_;
  std::map<InstanceId, InstanceState> rows_;
  std::map<std::string, Ledger> ledger_rows_;
  std::vector<VerifyIssue> issues_;
};

Json report_json(const VerifyReport& report, bool folded) {
  Json json{{"ok", report.ok()},
            {"first_lsn", report.first_lsn},
            {"last_lsn", report.last_lsn},
            {"records", report.records},
            {"runs", report.runs},
            {"instances", report.instances},
            {"dead_letters", report.dead_letters},
            {"dedup_entries", report.dedup_entries},
            {"fold_compared", folded},
            {"issue_count", report.issue_count},
            {"issues", Json::array()}};
  for (const auto& issue : report.issues) json["issues"].push_back({{"lsn", issue.lsn}, {"what", issue.what}});
  return json;
}

void print(const VerifyReport& report, bool folded) {
  std::printf("records %llu to %llu: %llu read, %llu runs, %llu instance rows, %llu dead letters, %llu dedup ids\n",
              static_cast<unsigned long long>(report.first_lsn), static_cast<unsigned long long>(report.last_lsn),
              static_cast<unsigned long long>(report.records), static_cast<unsigned long long>(report.runs),
              static_cast<unsigned long long>(report.instances), static_cast<unsigned long long>(report.dead_letters),
              static_cast<unsigned long long>(report.dedup_entries));
  for (const auto& issue : report.issues)
    std::printf("at %llu: %s\n", static_cast<unsigned long long>(issue.lsn), issue.what.c_str());
  if (!folded) std::printf("history has been purged: rows were not compared with a fold\n");
  if (report.ok())
    std::printf("ok\n");
  else
    std::printf("%llu issues; the first damaged record is %llu\n", static_cast<unsigned long long>(report.issue_count),
                static_cast<unsigned long long>(report.first_damage()));
}

}  // namespace

int verify_log(LogReader& log, bool json) {
  FoldCheck check(*log.snapshot());
  VerifyVisitor visitor;
  visitor.record = [&check](const Record& record) { check.take(record); };
  auto report = verify(log, visitor);
  // Behind damage the fold is not the log's; the damage itself is what to look at.
  if (report.ok()) check.finish(report);
  if (json)
    std::printf("%s\n", json_text(report_json(report, check.possible()), 2).c_str());
  else
    print(report, check.possible());
  return report.ok() ? 0 : 1;
}

}  // namespace bobbin::inspect
