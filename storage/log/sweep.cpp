#include "storage/log/sweep.hpp"

#include "storage/codec/codec.hpp"
#include "storage/log/frame.hpp"
#include "storage/log/gaps.hpp"
#include "storage/log/keys.hpp"

#include <bobbin/damage.hpp>

#include <algorithm>

namespace bobbin::storage {

namespace {

// Values in the table of holds.
constexpr std::string_view holds_record = "holds___";
constexpr std::string_view settled_by = "settled_";

enum class Verdict {
  purge,
  purge_last,
  keep,
  too_young
};  // purge_last: the newest of an instance that needs its row no more

// Which records may go: old ones, or those of marked instances.
enum class Reason { age, mark };

bool is_hold_on(const Cursor& holds, Lsn lsn) { return holds.key().size() == 24 && number_at(holds.key(), 0) == lsn; }

// One pass over a part of the log within one transaction.
class Pass {
 public:
  Pass(Writer& writer, const PurgeOrder& order, Reason reason, Lsn last, std::size_t& left, Committed& done)
      : writer_(writer), order_(order), reason_(reason), last_(last), left_(left), done_(done) {}

  // Returns where it stopped: at `end`, at a record that is too young, or where the bound was reached.
  Lsn run(Lsn from, Lsn end);

 private:
  Verdict look_at(Lsn lsn);
  Verdict judge(const RecordHead& head);
  Verdict judge_row(const RecordHead& head);
  bool may_go(const RecordHead& head, const InstanceHead& row) const;
  bool held(Lsn lsn);
  void purge(Lsn lsn, std::uint64_t checksum);
  void close_gap();
  bool settled_last_in(Position letter, Lsn lsn);
  void forget_settled(Lsn lsn);

  Writer& writer_;
  const PurgeOrder& order_;
  const Reason reason_;
  const Lsn last_;
  std::size_t& left_;
  Committed& done_;
  PartReader parts_{writer_};
  std::optional<PurgedStretch> gap_;  // being made
  bool stands_ = false;               // the log's cursor: on the record to be looked at next, or on the one looked at
};

Lsn Pass::run(Lsn from, Lsn end) {
  auto& log = writer_.cursor(Table::log);
  Lsn at = from;
  stands_ = log.seek(log_key(at).view());
  for (; at < end && left_ > 0; --left_) {
    if (!stands_ || log.key().size() < sizeof(Lsn)) break;
    const auto lsn = number_at(log.key(), 0);
    if (lsn >= end || lsn >= last_) {
      at = std::min(end, lsn);
      break;
    }
    auto verdict = Verdict::keep;
    const auto damage = damage_met_in([&] { verdict = look_at(lsn); });  // stays for `verify` to name
    at = verdict == Verdict::too_young ? lsn : lsn + 1;
    if (verdict == Verdict::too_young) break;
    if (verdict == Verdict::keep && reason_ == Reason::age) ++done_.kept;
    if (damage || verdict == Verdict::keep) stands_ = damage ? log.seek(log_key(at).view()) : log.next();
  }
  close_gap();
  if (left_ == 0 && at < end) done_.rests = true;
  return at;
}

// At the record on which the log's cursor stands.
Verdict Pass::look_at(Lsn lsn) {
  const Label what("record", lsn);
  const auto framed = parts_.collect(Table::log, what);
  const auto frame = open_record(framed, lsn, what);
  const auto head = decode_record_head(record_body(framed), lsn, what);
  const auto verdict = judge(head);
  if (verdict == Verdict::purge || verdict == Verdict::purge_last) purge(lsn, frame.checksum);
  if (verdict == Verdict::purge_last) done_.ended.push_back({head.instance, lsn});
  return verdict;
}

Verdict Pass::judge(const RecordHead& head) {
  if (reason_ == Reason::age && head.elapsed > order_.until) {
    done_.young = head.elapsed;
    return Verdict::too_young;
  }
  if (head.instance == InstanceId{}) return reason_ == Reason::age ? Verdict::purge : Verdict::keep;
  if (held(head.lsn)) return Verdict::keep;
  return judge_row(head);
}

Verdict Pass::judge_row(const RecordHead& head) {
  const Label what("the row of instance", head.instance);
  const auto key = instance_key(head.instance);
  const auto framed = parts_.find(Table::instances, key, what);
  if (framed.empty()) return reason_ == Reason::age ? Verdict::purge : Verdict::keep;
  open_row(framed, key.view(), what);
  const auto row = decode_instance_head(row_body(framed), what);
  if (std::ranges::find(row.unread_sources, head.lsn) != row.unread_sources.end()) return Verdict::keep;
  if (!may_go(head, row)) return Verdict::keep;
  const bool needs_row = row.live || !row.unread_sources.empty() || row.lsn != head.lsn;
  return needs_row ? Verdict::purge : Verdict::purge_last;
}

bool Pass::may_go(const RecordHead& head, const InstanceHead& row) const {
  if (reason_ == Reason::mark) return head.lsn <= row.purged_through;
  return head.run == 0 || head.run != row.run || (!row.live && row.ended_elapsed <= order_.until);
}

bool Pass::held(Lsn lsn) {
  auto& holds = writer_.cursor(Table::holds);
  for (bool more = holds.seek(log_key(lsn).view()); more && is_hold_on(holds, lsn); more = holds.next())
    if (holds.value() == holds_record) return true;
  return false;
}

void Pass::purge(Lsn lsn, std::uint64_t checksum) {
  forget_settled(lsn);
  if (gap_ && gap_->last + 1 != lsn) close_gap();
  stands_ = erase_parts(writer_, Table::log, log_key(lsn));
  gap_ = PurgedStretch{gap_ ? gap_->first : lsn, lsn, checksum};
  ++done_.purged;
}

void Pass::close_gap() {
  if (gap_) add_gap(writer_, *gap_);
  gap_.reset();
}

// An event that was redriven may have died again since: then its row is that of another record.
bool Pass::settled_last_in(Position letter, Lsn lsn) {
  const Label what("dead letter", letter);
  const auto key = dead_letter_key(letter);
  const auto framed = parts_.find(Table::dead_letters, key, what);
  if (framed.empty()) return false;
  open_row(framed, key.view(), what);
  return decode_dead_letter(row_body(framed), what).lsn == lsn;
}

void Pass::forget_settled(Lsn lsn) {
  auto& holds = writer_.cursor(Table::holds);
  while (holds.seek(log_key(lsn).view()) && is_hold_on(holds, lsn)) {
    const auto key = Key().add_raw(holds.key());
    const Position letter{number_at(key.view(), 8), static_cast<std::uint32_t>(number_at(key.view(), 16))};
    if (settled_last_in(letter, lsn)) erase_parts(writer_, Table::dead_letters, dead_letter_key(letter));
    writer_.erase(Table::holds, key.view());
  }
}

}  // namespace

void Sweep::run(Writer& writer, const PurgeOrder& order, Lsn last, Committed& done) {
  auto left = order.records;
  if (order.marked_through != 0) {
    if (marked_ == 0) marked_ = order.marked_from;
    marked_ = Pass(writer, order, Reason::mark, last, left, done)
                  .run(marked_, std::min(order.marked_through + 1, order.below));
    done.marked_done = marked_ > order.marked_through;
    if (done.marked_done) marked_ = 0;
  }
  Pass pass(writer, order, Reason::age, last, left, done);
  frontier_ = pass.run(frontier_, order.below);
  if (order.again && revisit_ == 0) revisit_ = 1;
  if (revisit_ == 0) return;
  revisit_ = pass.run(revisit_, frontier_);
  if (revisit_ >= frontier_ || left > 0) revisit_ = 0;
}

void update_holds(Writer& writer, const DeadLetter& letter) {
  const bool open = letter.state == DeadLetterState::dead || letter.state == DeadLetterState::redriving;
  // A redriven activity needs its decision, and the run's start for its idempotency key.
  for (const auto lsn : {letter.source.lsn, letter.is_activity ? letter.run : letter.source.lsn}) {
    const auto key = hold_key(lsn, letter.position);
    if (open)
      writer.put(Table::holds, key.view(), holds_record);
    else
      writer.erase(Table::holds, key.view());
  }
  const auto settled = hold_key(letter.lsn, letter.position);
  if (!open) writer.put(Table::holds, settled.view(), settled_by);
}

}  // namespace bobbin::storage
