// Checks a log for damage and for broken promises; changes nothing.
#pragma once

#include <bobbin/inspection.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace bobbin {

struct VerifyIssue {
  Lsn lsn = 0;       // where in the log; 0: in a row
  std::string what;  // which value, and what is wrong with it
};

struct VerifyReport {
  Lsn first_lsn = 0;
  Lsn last_lsn = 0;
  std::uint64_t records = 0;
  std::uint64_t runs = 0;
  std::uint64_t instances = 0;     // rows
  std::uint64_t dead_letters = 0;  // rows
  std::uint64_t dedup_entries = 0;
  std::vector<PurgedStretch> purged;

  // Issues of the log in log order, then issues of rows; at most `issues_max` are kept, all are counted.
  static constexpr std::size_t issues_max = 100;
  std::vector<VerifyIssue> issues;
  std::uint64_t issue_count = 0;

  bool ok() const { return issue_count == 0; }
  // The position of the first damage in the log; 0 when there is none.
  Lsn first_damage() const;
  void add_issue(Lsn lsn, std::string what);
};

// What a caller wants to see on the way: each readable record in log order, then rows. All may be empty. With them a
// fold over the log can be compared with the rows without a second walk.
struct VerifyVisitor {
  std::function<void(const Record&)> record;
  std::function<void(const InstanceState&)> instance;
  std::function<void(const Ledger&)> ledger;
  std::function<void(const DeadLetter&)> dead_letter;
};

// Checks: every record's checksum, content and place in the chain; LSNs without gaps but for purged stretches, whose
// records name them; each run's chain (sequence, previous record, start); every row's checksum; rows that stand for
// records of this log only; instance rows under their own id, and entered among the due times exactly when
// next_due() says so; balanced ledgers; dedup runs complete and in order. Memory: some 64 bytes a run.
//
// Damage is reported, not thrown; UnsupportedFormat is thrown.
VerifyReport verify(InspectionSnapshot& snapshot, const VerifyVisitor& visitor = {});

// The same, after the structure of all pages, beside an engine that writes: the records are walked through one short
// snapshot after another, for pages that a snapshot sees cannot be used again; the log's end and the rows are seen
// through the last one.
VerifyReport verify(LogReader& log, const VerifyVisitor& visitor = {});

}  // namespace bobbin
