// The chain of records, checked one record at a time.
#pragma once

#include <bobbin/verify.hpp>

#include <unordered_map>
#include <vector>

namespace bobbin::storage {

class ChainCheck {
 public:
  explicit ChainCheck(VerifyReport& report) : report_(report) {}

  void add(const LinkedRecord& link);
  // When all records have been added.
  void finish(Lsn last_lsn, const std::vector<PurgedStretch>& purged);

 private:
  struct Gap {
    Lsn first;
    Lsn last;
    // That the record behind the gap claims for the gap's last record; empty: that one cannot be read.
    std::optional<std::uint64_t> checksum;
  };
  struct Run {
    std::uint64_t sequence = 0;
    Lsn last = 0;
  };

  void check_place(const LinkedRecord& link);
  void check_run(const Record& record);
  void start_run(const Record& record);
  static bool is_explained(const Gap& gap, const std::vector<PurgedStretch>& purged);
  bool is_missing(Lsn lsn) const;

  VerifyReport& report_;
  Lsn previous_lsn_ = 0;
  std::optional<std::uint64_t> previous_checksum_ = 0;  // unknown behind damage
  std::vector<Gap> gaps_;
  std::vector<Lsn> damaged_;
  std::unordered_map<RunId, Run> runs_;
};

}  // namespace bobbin::storage
