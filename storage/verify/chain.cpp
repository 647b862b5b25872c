#include "storage/verify/chain.hpp"

#include <algorithm>

namespace bobbin::storage {

namespace {

std::string number(std::uint64_t value) { return std::to_string(value); }

bool starts_a_run(const Record& record) {
  const auto* turn = std::get_if<TurnBody>(&record.body);
  const auto* accepted = std::get_if<AcceptedBody>(&record.body);
  const auto holds_start = [](const std::vector<Input>& inputs) {
    return std::ranges::any_of(inputs, [](const Input& input) { return std::holds_alternative<StartInput>(input); });
  };
  return (turn && holds_start(turn->inputs)) || (accepted && holds_start(accepted->inputs));
}

}  // namespace

void ChainCheck::add(const LinkedRecord& link) {
  check_place(link);
  previous_lsn_ = std::max(previous_lsn_, link.lsn);
  previous_checksum_.reset();
  if (!link.record) {
    damaged_.push_back(link.lsn);
    return report_.add_issue(link.lsn, link.damage.message);
  }
  previous_checksum_ = link.checksum;
  ++report_.records;
  check_run(*link.record);
}

void ChainCheck::check_place(const LinkedRecord& link) {
  if (link.lsn <= previous_lsn_)
    return report_.add_issue(link.lsn, "record " + number(link.lsn) + " stands behind record " + number(previous_lsn_));
  if (link.lsn > previous_lsn_ + 1) {
    gaps_.push_back({previous_lsn_ + 1, link.lsn - 1, {}});
    if (link.record) gaps_.back().checksum = link.previous_checksum;
    return;
  }
  if (link.record && previous_checksum_ && *previous_checksum_ != link.previous_checksum)
    report_.add_issue(link.lsn, "record " + number(link.lsn) + " does not continue record " + number(previous_lsn_) +
                                    ": it names another checksum for it");
}

void ChainCheck::check_run(const Record& record) {
  const bool starts = starts_a_run(record);
  if (starts != (record.run == record.lsn))
    return report_.add_issue(record.lsn,
                             "record " + number(record.lsn) + " of run " + number(record.run) +
                                 (starts ? " starts a run but is not of it" : " is named a start, but starts nothing"));
  if (starts) return start_run(record);
  if (record.run == 0) return;
  const auto found = runs_.find(record.run);
  if (found == runs_.end()) {
    // Its start has been purged, or lies in a damaged record that has been reported.
    if (!is_missing(record.run))
      report_.add_issue(record.lsn, "record " + number(record.lsn) + " belongs to run " + number(record.run) +
                                        ", but no such run has started");
    runs_[record.run] = {record.run_sequence, record.lsn};
    return;
  }
  auto& run = found->second;
  const bool follows = record.run_sequence == run.sequence + 1 && record.run_previous == run.last;
  if (!follows && !is_missing(record.run_previous))
    report_.add_issue(record.lsn, "record " + number(record.lsn) + " of run " + number(record.run) + " has number " +
                                      number(record.run_sequence) + " and follows record " +
                                      number(record.run_previous) + "; expected number " + number(run.sequence + 1) +
                                      " after record " + number(run.last));
  run = {record.run_sequence, record.lsn};
}

void ChainCheck::start_run(const Record& record) {
  ++report_.runs;
  if (record.run_sequence != 1 || record.run_previous != 0)
    report_.add_issue(record.lsn, "record " + number(record.lsn) + " starts a run, but has number " +
                                      number(record.run_sequence) + " in it and follows record " +
                                      number(record.run_previous));
  runs_[record.run] = {record.run_sequence, record.lsn};
}

// Whether the record cannot be read, for whichever reason: that is an issue of its own, or a purge.
bool ChainCheck::is_missing(Lsn lsn) const {
  const auto behind = std::ranges::upper_bound(gaps_, lsn, {}, &Gap::first);  // gaps come in order
  if (behind != gaps_.begin() && lsn <= std::prev(behind)->last) return true;
  return std::ranges::find(damaged_, lsn) != damaged_.end();
}

// A stretch that has grown since the walk came by names a later checksum.
bool ChainCheck::is_explained(const Gap& gap, const std::vector<PurgedStretch>& purged) {
  const auto behind = std::ranges::upper_bound(purged, gap.first, {}, &PurgedStretch::first);
  if (behind == purged.begin()) return false;
  auto stretch = *std::prev(behind);
  // Stretches join when they are made, unless one of them was damaged then.
  for (auto next = behind; next != purged.end() && next->first == stretch.last + 1; ++next) {
    stretch.last = next->last;
    stretch.last_checksum = next->last_checksum;
  }
  const bool fits = !gap.checksum || *gap.checksum == stretch.last_checksum;
  return gap.last < stretch.last || (gap.last == stretch.last && fits);
}

void ChainCheck::finish(Lsn last_lsn, const std::vector<PurgedStretch>& purged) {
  for (const auto& gap : gaps_)
    if (!is_explained(gap, purged))
      report_.add_issue(gap.first, "the records " + number(gap.first) + " to " + number(gap.last) +
                                       " are missing, and no purge explains it");
  report_.purged = purged;
  if (previous_lsn_ < last_lsn)
    report_.add_issue(previous_lsn_ + 1, "the records behind " + number(previous_lsn_) + " are missing");
}

}  // namespace bobbin::storage
