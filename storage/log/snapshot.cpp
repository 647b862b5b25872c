#include "storage/log/snapshot.hpp"

#include "storage/log/dedup.hpp"
#include "storage/log/frame.hpp"
#include "storage/log/gaps.hpp"
#include "storage/log/keys.hpp"
#include "storage/log/leftovers.hpp"

#include <bobbin/damage.hpp>

#include <algorithm>

namespace bobbin::storage {

namespace {

// Moves `cursor` to the first entry behind `after`, or to the first of all.
template <class After, class ToKey>
bool seek_behind(Cursor& cursor, const std::optional<After>& after, const ToKey& to_key) {
  if (!after) return cursor.first();
  const Key key = to_key(*after);
  bool stands = cursor.seek(key.view());
  while (stands && cursor.key().starts_with(key.view())) stands = cursor.next();
  return stands;
}

DueEntry read_due(const Cursor& cursor) {
  std::uint64_t checksum = 0;
  const auto key = cursor.key();
  const auto value = cursor.value();
  if (key.size() != 24 || value.size() != sizeof checksum)
    throw_damaged("an entry of the due times", "its size is wrong");
  std::memcpy(&checksum, value.data(), sizeof checksum);
  const DueEntry entry{time_at(key, 0), id_at(key, 8)};
  if (checksum != checksum_of(key)) throw_damaged(Label("the due time of instance", entry.id), "checksum mismatch");
  return entry;
}

// Keys have no checksum: where a damaged one stands among others, a search goes astray.
[[noreturn]] void throw_out_of_order(const std::string& where) {
  throw CorruptLog("the keys of a table are out of order, " + where + ": run 'bobbin verify', and restore a backup");
}

// Moves `cursor` behind the damaged value that began at `key`, and whatever parts it has; a key that cannot be told
// apart is stepped over alone.
bool step_behind(Cursor& cursor, const Key& key, const ErrorInfo& damage, bool has_parts = true) {
  if (!cursor.seek(key.view()) || cursor.key() != key.view()) throw_out_of_order("where " + damage.message);
  const auto size = key.view().size();
  const auto prefix = key.view().substr(0, has_parts && size >= 16 ? size - 8 : size);
  bool stands = cursor.next();
  while (stands && cursor.key().size() == size && cursor.key().starts_with(prefix)) stands = cursor.next();
  return stands;
}

// Reads the value on which `cursor` stands, and moves to the next one. With `step_over`, damage is told to it.
template <class Read>
bool read_and_move(Cursor& cursor, const DamageVisitor& step_over, bool has_parts, Read read) {
  const auto key = Key().add_raw(cursor.key());
  const auto damage = damage_met_in(read);
  if (!damage) return cursor.next();
  if (!step_over) throw *damage;
  step_over(damage->info());
  return step_behind(cursor, key, damage->info(), has_parts);
}

DedupRun read_dedup_run(const Cursor& cursor) {
  if (cursor.key().size() != 8) throw_damaged("an entry of the dedup runs", "its key has a wrong size");
  const Label what("dedup run", number_at(cursor.key(), 0));
  open_row(cursor.value(), cursor.key(), what);
  return decode_dedup_run(row_body(cursor.value()), what);
}

}  // namespace

std::optional<Record> TableSnapshot::record(Lsn lsn) {
  const Label what("record", lsn);
  const auto framed = parts_.find(Table::log, log_key(lsn), what);
  if (framed.empty()) return std::nullopt;
  open_record(framed, lsn, what);
  return decode_record(record_body(framed), lsn, what);
}

LinkedRecord TableSnapshot::read_link() {
  LinkedRecord link;
  link.lsn = number_at(prefix_of(Table::log, reader_->cursor(Table::log).key()), 0);
  const Label what("record", link.lsn);
  const auto framed = parts_.collect(Table::log, what);
  const auto frame = open_record(framed, link.lsn, what);
  link.checksum = frame.checksum;
  link.previous_checksum = frame.previous_checksum;
  link.record = decode_record(record_body(framed), link.lsn, what);
  return link;
}

void TableSnapshot::scan(Lsn from, const std::function<bool(Record&&)>& visit) {
  auto& cursor = reader_->cursor(Table::log);
  Tail before;
  for (bool more = cursor.seek(log_key(from).view()); more; more = cursor.next()) {
    auto link = read_link();
    if (link.lsn == before.lsn + 1 && before.lsn != 0 && link.previous_checksum != before.checksum)
      throw_damaged(Label("record", link.lsn), "it does not continue the record before it");
    before = {link.lsn, link.checksum};
    const auto here = Key().add_raw(cursor.key());
    if (!visit(std::move(*link.record))) return;
    if (cursor.key() != here.view()) cursor.seek(here.view());  // the visitor read another record
  }
}

void TableSnapshot::scan_links(Lsn from, const std::function<bool(LinkedRecord&&)>& visit) {
  auto& cursor = reader_->cursor(Table::log);
  bool more = cursor.seek(log_key(from).view());
  while (more) {
    const auto key = Key().add_raw(cursor.key());
    LinkedRecord link;
    try {
      link = read_link();
    } catch (const CorruptLog&) {
      throw;
    } catch (const Error& error) {
      link.lsn = key.view().size() < 8 ? 0 : number_at(key.view(), 0);
      link.damage = error.info();
    }
    const auto damage = link.damage;
    const auto here = Key().add_raw(cursor.key());
    if (!visit(std::move(link))) return;
    if (damage) {
      more = step_behind(cursor, key, damage);
      continue;
    }
    if (cursor.key() != here.view()) cursor.seek(here.view());  // the visitor read another record
    more = cursor.next();
  }
}

InstanceState TableSnapshot::read_instance() {
  const auto key = Key().add_raw(reader_->cursor(Table::instances).key());
  const auto prefix = prefix_of(Table::instances, key.view());
  const Label what("the row of instance", id_at(prefix, 0));
  const auto framed = parts_.collect(Table::instances, what);
  open_row(framed, prefix, what);
  return decode_instance(row_body(framed), what).state;
}

std::optional<InstanceState> TableSnapshot::instance(const InstanceId& id) {
  auto& cursor = reader_->cursor(Table::instances);
  const auto key = instance_key(id).add(std::uint64_t{0});
  if (!cursor.seek(key.view()) || cursor.key() != key.view()) return std::nullopt;
  return read_instance();
}

std::vector<InstanceState> TableSnapshot::instances(const std::optional<InstanceId>& after, std::size_t limit) {
  auto& cursor = reader_->cursor(Table::instances);
  std::vector<InstanceState> rows;
  for (bool more = seek_behind(cursor, after, instance_key); more && rows.size() < limit; more = cursor.next())
    rows.push_back(read_instance());
  return rows;
}

std::vector<DueEntry> TableSnapshot::due(const std::optional<DueEntry>& after, std::size_t limit,
                                         const DamageVisitor& step_over) {
  auto& cursor = reader_->cursor(Table::due);
  std::vector<DueEntry> entries;
  bool more = seek_behind(cursor, after, due_key);
  while (more && entries.size() < limit)
    more = read_and_move(cursor, step_over, false, [&] {
      const auto entry = read_due(cursor);
      const auto last = entries.empty() ? after : entries.back();
      if (last && entry <= *last) throw_out_of_order("where that of instance " + to_hex(entry.id) + " is due");
      entries.push_back(entry);
    });
  return entries;
}

std::vector<Ledger> TableSnapshot::ledgers() {
  auto& cursor = reader_->cursor(Table::ledgers);
  std::vector<Ledger> rows;
  for (bool more = cursor.first(); more; more = cursor.next()) {
    const auto key = Key().add_raw(cursor.key());
    const auto prefix = prefix_of(Table::ledgers, key.view());
    const Label what("the ledger row", prefix.substr(0, prefix.find('\0')));
    const auto framed = parts_.collect(Table::ledgers, what);
    open_row(framed, prefix, what);
    rows.push_back(decode_ledger(row_body(framed), what));
  }
  std::ranges::sort(rows, {}, &Ledger::orchestrator);
  return rows;
}

DeadLetter TableSnapshot::read_dead_letter() {
  const auto key = Key().add_raw(reader_->cursor(Table::dead_letters).key());
  const auto prefix = prefix_of(Table::dead_letters, key.view());
  const Label what("dead letter", Position{number_at(prefix, 0), static_cast<std::uint32_t>(number_at(prefix, 8))});
  const auto framed = parts_.collect(Table::dead_letters, what);
  open_row(framed, prefix, what);
  return decode_dead_letter(row_body(framed), what);
}

std::vector<DeadLetter> TableSnapshot::dead_letters(Position after, std::size_t limit, const DamageVisitor& step_over) {
  auto& cursor = reader_->cursor(Table::dead_letters);
  std::vector<DeadLetter> rows;
  bool more = seek_behind(cursor, std::optional(after), dead_letter_key);
  while (more && rows.size() < limit)
    more = read_and_move(cursor, step_over, true, [&] {
      auto letter = read_dead_letter();
      const auto last = rows.empty() ? after : rows.back().position;
      if (letter.position <= last) throw_out_of_order("at dead letter " + to_string(letter.position));
      rows.push_back(std::move(letter));
    });
  return rows;
}

std::optional<DeadLetter> TableSnapshot::dead_letter(Position position) {
  const Label what("dead letter", position);
  const auto prefix = dead_letter_key(position);
  const auto framed = parts_.find(Table::dead_letters, prefix, what);
  if (framed.empty()) return std::nullopt;
  open_row(framed, prefix.view(), what);
  return decode_dead_letter(row_body(framed), what);
}

std::optional<Schema> TableSnapshot::schema(std::uint64_t hash) {
  const Label what("schema", hash);
  const auto prefix = schema_key(hash);
  const auto framed = parts_.find(Table::schemas, prefix, what);
  if (framed.empty()) return std::nullopt;
  open_row(framed, prefix.view(), what);
  return decode_schema(row_body(framed), what);
}

std::vector<DedupRun> TableSnapshot::dedup_runs() {
  auto& cursor = reader_->cursor(Table::dedup_runs);
  std::vector<DedupRun> runs;
  for (bool more = cursor.first(); more; more = cursor.next()) runs.push_back(read_dedup_run(cursor));
  return runs;
}

std::vector<Id128> TableSnapshot::dedup_hashes(std::uint64_t run, const std::optional<Id128>& after,
                                               std::size_t limit) {
  return read_dedup_hashes(*reader_, run, after, limit);
}

std::optional<DedupEntry> TableSnapshot::find_dedup(std::uint64_t run, const Id128& hash) {
  return find_dedup_entry(*reader_, run, hash);
}

std::vector<Committed::Ended> TableSnapshot::leftovers() { return read_leftovers(*reader_); }

void TableSnapshot::scan_dedup_run(std::uint64_t run, const std::function<void(const DedupEntry&)>& visit) {
  visit_dedup_run(*reader_, run, visit);
}

std::vector<PurgedStretch> TableSnapshot::purged_stretches() { return read_gaps(*reader_); }

Identity TableSnapshot::identity() { return read_identity(*reader_); }

LogInfo TableSnapshot::info() {
  const auto identity = read_identity(*reader_);
  LogInfo info;
  info.log_id = identity.log_id;
  info.epoch = identity.epoch;
  auto& log = reader_->cursor(Table::log);
  if (log.first()) info.first_lsn = number_at(prefix_of(Table::log, log.key()), 0);
  if (log.last() && log.key().size() == 16) info.last_lsn = number_at(log.key(), 0);
  auto& meta = reader_->cursor(Table::meta);
  if (!meta.seek(state_key) || meta.key() != state_key) return info;
  open_row(meta.value(), state_key, "the state of the log");
  const auto row = decode_log_state(row_body(meta.value()), "the state of the log");
  info.state = row.state;
  info.fold_from = row.fold_from;
  info.rows_from = std::max(row.rows_from, row.fold_from);
  return info;
}

Tail TableSnapshot::checked_tail(std::uint64_t check) {
  const auto last = info().last_lsn;
  Tail tail;
  scan_links(last > check ? last - check + 1 : 1, [&tail](LinkedRecord&& link) {
    if (link.damage) throw_error(link.damage);
    if (link.lsn == tail.lsn + 1 && tail.lsn != 0 && link.previous_checksum != tail.checksum)
      throw_damaged(Label("record", link.lsn), "it does not continue the record before it");
    tail = {link.lsn, link.checksum};
    return true;
  });
  return tail;
}

}  // namespace bobbin::storage
