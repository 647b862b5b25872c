#include "storage/verify/chain.hpp"

#include <bobbin/verify.hpp>

#include <algorithm>

namespace bobbin {

namespace {

constexpr std::size_t rows_at_a_time = 256;
constexpr std::size_t records_a_snapshot = 100'000;

// The greatest entry below `entry`; empty when there is none.
std::optional<DueEntry> just_before(DueEntry entry) {
  for (auto byte = entry.id.bytes.rbegin(); byte != entry.id.bytes.rend(); ++byte)
    if ((*byte)-- != 0) return entry;
  if (entry.due == LogTime::min()) return std::nullopt;
  entry.due -= Duration(1);
  return entry;
}

// A name that none may have has no id.
bool gives_id(const InstanceName& name, const InstanceId& id) {
  try {
    return instance_id(name) == id;
  } catch (const InvalidArgument&) {
    return false;
  }
}

class Verification {
 public:
  // `renewed` exchanges the snapshot for a newer one; empty where there is only this one.
  using Renew = std::function<InspectionSnapshot*()>;
  Verification(InspectionSnapshot& snapshot, const VerifyVisitor& visitor, Renew renewed)
      : snapshot_(&snapshot), visitor_(visitor), renewed_(std::move(renewed)) {}

  VerifyReport run() {
    guarded([this] { check_log(); });
    guarded([this] { check_passed_over(); });
    guarded([this] { check_instances(); });
    guarded([this] { check_due(); });
    guarded([this] { check_ledgers(); });
    guarded([this] { check_dead_letters(); });
    guarded([this] { check_dedup(); });
    guarded([this] { check_leftovers(); });
    return std::move(report_);
  }

 private:
  // Damage ends the walk over one table, not the verification.
  template <class Check>
  void guarded(const Check& check) {
    try {
      check();
    } catch (const Corrupt& error) {
      report_.add_issue(0, error.what());
    }
  }

  void check_log();
  void check_passed_over();
  void check_instances();
  void check_instance(const InstanceState& state);
  void check_due();
  void check_ledgers();
  void check_dead_letters();
  void check_dedup();
  void check_leftovers();
  void check_stands(Lsn lsn, const std::string& row);

  InspectionSnapshot* snapshot_;
  const VerifyVisitor& visitor_;
  const Renew renewed_;
  VerifyReport report_;
  std::uint64_t due_expected_ = 0;
};

void Verification::check_log() {
  report_.first_lsn = snapshot_->info().first_lsn;
  report_.last_lsn = snapshot_->info().last_lsn;
  storage::ChainCheck chain(report_);
  bool more = true;
  for (Lsn next = 0; more;) {
    const auto from = next;
    std::size_t left = records_a_snapshot;
    more = false;
    snapshot_->scan_links(next, [&](LinkedRecord&& link) {
      if (left == 0 && next > from) return !(more = true);
      if (link.damage.code == ErrorCode::unsupported_format) throw UnsupportedFormat(link.damage);
      chain.add(link);
      if (link.record && visitor_.record) visitor_.record(*link.record);
      if (renewed_ && left > 0) --left;
      next = std::max(next, link.lsn + 1);
      return true;
    });
    if (more) snapshot_ = renewed_();
  }
  const auto info = snapshot_->info();
  report_.last_lsn = info.last_lsn;
  chain.finish(info.last_lsn, snapshot_->purged_stretches());
  std::ranges::stable_sort(report_.issues, {}, &VerifyIssue::lsn);
  check_stands(info.state.lsn, "the state of the log");
  if (info.fold_from > info.last_lsn + 1)
    report_.add_issue(0, "folding is to begin at record " + std::to_string(info.fold_from) + ", which does not exist");
}

// Records of which recovery takes it for granted that rows stand for them.
void Verification::check_passed_over() {
  const auto info = snapshot_->info();
  snapshot_->scan(info.fold_from, [&](Record&& record) {
    if (record.lsn >= info.rows_from) return false;
    if (record.instance == InstanceId{}) return true;
    const auto row = snapshot_->instance(record.instance);
    if (!row || row->lsn < record.lsn)
      report_.add_issue(record.lsn, "recovery passes over record " + std::to_string(record.lsn) +
                                        ", but the row of instance " + to_hex(record.instance) + " lacks it");
    return true;
  });
}

void Verification::check_instances() {
  std::optional<InstanceId> after;
  for (;;) {
    const auto rows = snapshot_->instances(after, rows_at_a_time);
    for (const auto& state : rows) check_instance(state);
    if (rows.size() < rows_at_a_time) return;
    after = rows.back().id;
  }
}

void Verification::check_instance(const InstanceState& state) {
  ++report_.instances;
  const auto row = "the row of instance " + to_hex(state.id);
  check_stands(state.lsn, row);
  if (!gives_id(state.name, state.id)) report_.add_issue(0, row + " has a name that does not give this id");
  if (const auto due = next_due(state)) {
    ++due_expected_;
    const DueEntry entry{*due, state.id};
    const auto found = snapshot_->due(just_before(entry), 1);
    if (found.empty() || found.front() != entry) report_.add_issue(0, row + " is not entered among the due times");
  }
  if (visitor_.instance) visitor_.instance(state);
}

void Verification::check_due() {
  std::optional<DueEntry> after;
  std::uint64_t entries = 0;
  for (;;) {
    const auto found = snapshot_->due(after, rows_at_a_time);
    entries += found.size();
    for (const auto& entry : found) {
      const auto state = snapshot_->instance(entry.id);
      if (!state || next_due(*state) != entry.due)
        report_.add_issue(0, "a due time is entered for instance " + to_hex(entry.id) + " that its row does not have");
    }
    if (found.size() < rows_at_a_time) break;
    after = found.back();
  }
  if (entries != due_expected_)
    report_.add_issue(
        0, "there are " + std::to_string(entries) + " due times, but rows for " + std::to_string(due_expected_));
}

void Verification::check_ledgers() {
  for (const auto& ledger : snapshot_->ledgers()) {
    const auto row = "the ledger of '" + ledger.orchestrator + "'";
    check_stands(ledger.lsn, row);
    if (!ledger.balanced())
      report_.add_issue(0, row + " does not balance: accepted " + std::to_string(ledger.accepted) + ", consumed " +
                               std::to_string(ledger.consumed) + ", pending " + std::to_string(ledger.pending) +
                               ", dead-lettered " + std::to_string(ledger.dead_lettered) + ", expired " +
                               std::to_string(ledger.expired) + ", discarded " + std::to_string(ledger.discarded));
    if (visitor_.ledger) visitor_.ledger(ledger);
  }
}

void Verification::check_dead_letters() {
  Position after;
  for (;;) {
    const auto rows = snapshot_->dead_letters(after, rows_at_a_time);
    for (const auto& letter : rows) {
      ++report_.dead_letters;
      check_stands(letter.lsn, "dead letter " + to_string(letter.position));
      if (visitor_.dead_letter) visitor_.dead_letter(letter);
    }
    if (rows.size() < rows_at_a_time) return;
    after = rows.back().position;
  }
}

void Verification::check_dedup() {
  for (const auto& run : snapshot_->dedup_runs()) {
    std::uint64_t entries = 0;
    snapshot_->scan_dedup_run(run.run, [&entries](const DedupEntry&) { ++entries; });
    report_.dedup_entries += entries;
    const auto row = "dedup run " + std::to_string(run.run);
    check_stands(run.last_lsn, row);
    if (entries != run.entries)
      report_.add_issue(0, row + " has " + std::to_string(entries) + " entries of " + std::to_string(run.entries));
  }
}

// An open deletes the rows named.
void Verification::check_leftovers() {
  for (const auto& ended : snapshot_->leftovers())
    if (snapshot_->record(ended.lsn))
      report_.add_issue(ended.lsn, "the row of instance " + to_hex(ended.id) + " is to go as one whose record " +
                                       std::to_string(ended.lsn) + " was purged, but that is there");
}

void Verification::check_stands(Lsn lsn, const std::string& row) {
  if (lsn > report_.last_lsn)
    report_.add_issue(0, row + " stands for record " + std::to_string(lsn) + ", but the log ends at " +
                             std::to_string(report_.last_lsn));
}

}  // namespace

Lsn VerifyReport::first_damage() const {
  const auto found = std::ranges::find_if(issues, [](const VerifyIssue& issue) { return issue.lsn != 0; });
  return found == issues.end() ? 0 : found->lsn;
}

void VerifyReport::add_issue(Lsn lsn, std::string what) {
  ++issue_count;
  if (issues.size() < issues_max) issues.push_back({lsn, std::move(what)});
}

VerifyReport verify(InspectionSnapshot& snapshot, const VerifyVisitor& visitor) {
  return Verification(snapshot, visitor, nullptr).run();
}

VerifyReport verify(LogReader& log, const VerifyVisitor& visitor) {
  try {
    log.check_pages();
  } catch (const Corrupt& error) {  // to walk on would be to trust it
    VerifyReport report;
    report.add_issue(0, error.what());
    return report;
  }
  auto snapshot = log.snapshot();
  return Verification(*snapshot, visitor, [&log, &snapshot] { return (snapshot = log.snapshot()).get(); }).run();
}

}  // namespace bobbin
