#include "storage/log/writer.hpp"

#include "storage/log/dedup.hpp"
#include "storage/log/frame.hpp"
#include "storage/log/keys.hpp"
#include "storage/log/leftovers.hpp"
#include "storage/log/parts.hpp"

#include <bobbin/damage.hpp>

#include <algorithm>

namespace bobbin::storage {

namespace {

std::string_view view(Encoder::Buffer bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

class BatchWriter {
 public:
  BatchWriter(Writer& writer, Encoder& encoder, Tail tail, Committed& done)
      : writer_(writer), encoder_(encoder), tail_(tail), done_(done) {}

  Tail write(const Batch& batch);

 private:
  void append(const Record& record);
  void put_schema(const Schema& schema);
  void put_instance(const InstanceState& state);
  void forget_instance(const InstanceId& id);
  void put_state(const Batch& batch);
  void move_due(const InstanceState& state, std::optional<LogTime> due);
  std::optional<LogTime> entered_due(const InstanceId& id);
  void erase_due(const InstanceId& id);
  void put_row(Table table, const Key& prefix, Encoder::Buffer buffer);
  void put_single(Table table, std::string_view key, Encoder::Buffer buffer);
  void check_row(Lsn lsn, const char* kind) const;

  Writer& writer_;
  Encoder& encoder_;
  Tail tail_;
  Committed& done_;
  PartReader parts_{writer_};
};

Tail BatchWriter::write(const Batch& batch) {
  for (const auto& record : batch.records) append(record);
  for (const auto& id : batch.forgotten) forget_instance(id);
  if (batch.leftovers_gone) erase_leftovers(writer_);
  for (const auto& state : batch.instances) put_instance(state);
  for (const auto& ledger : batch.ledgers) {
    check_row(ledger.lsn, "ledger");
    put_row(Table::ledgers, ledger_key(ledger.orchestrator), encoder_.encode(ledger));
  }
  for (const auto& letter : batch.dead_letters) {
    check_row(letter.lsn, "dead letter");
    put_row(Table::dead_letters, dead_letter_key(letter.position), encoder_.encode(letter));
    update_holds(writer_, letter);
  }
  for (const auto& chunk : batch.dedup_chunks) write_dedup_chunk(writer_, chunk);
  for (const auto& run : batch.dedup_runs)
    put_single(Table::dedup_runs, dedup_run_key(run.run).view(), encoder_.encode(run));
  for (const auto run : batch.dropped_dedup_runs) drop_dedup_run(writer_, run);
  sweep_dropped_dedup_runs(writer_);
  if (batch.log_state || batch.fold_from != 0 || batch.rows_from != 0) put_state(batch);
  return tail_;
}

void BatchWriter::append(const Record& record) {
  if (record.lsn != tail_.lsn + 1)
    throw InvalidArgument("record " + std::to_string(record.lsn) + " cannot follow record " +
                          std::to_string(tail_.lsn) + ": LSNs have no gaps");
  const auto framed = encoder_.encode(record);
  tail_ = {record.lsn, seal_record(framed, record.lsn, tail_.checksum)};
  append_parts(writer_, Table::log, log_key(record.lsn), view(framed));
  if (const auto* body = std::get_if<SchemaBody>(&record.body)) put_schema(body->schema);
}

void BatchWriter::put_schema(const Schema& schema) {
  put_row(Table::schemas, schema_key(schema.hash), encoder_.encode(schema));
}

void BatchWriter::put_instance(const InstanceState& state) {
  check_row(state.lsn, "instance");
  const auto due = next_due(state);
  move_due(state, due);
  put_row(Table::instances, instance_key(state.id), encoder_.encode(state, due));
}

void BatchWriter::forget_instance(const InstanceId& id) {
  if (const auto entered = entered_due(id)) writer_.erase(Table::due, due_key({*entered, id}).view());
  erase_parts(writer_, Table::instances, instance_key(id));
}

void BatchWriter::move_due(const InstanceState& state, std::optional<LogTime> due) {
  const auto entered = entered_due(state.id);
  if (entered == due) return;
  if (entered) writer_.erase(Table::due, due_key({*entered, state.id}).view());
  if (!due) return;
  const auto key = due_key({*due, state.id});
  const auto checksum = checksum_of(key.view());
  writer_.put(Table::due, key.view(), {reinterpret_cast<const char*>(&checksum), sizeof checksum});
}

// Of a row that is about to be replaced or removed, as it lies in the table. A damaged one does not tell: then it is
// there no more.
std::optional<LogTime> BatchWriter::entered_due(const InstanceId& id) {
  const Label what("the row of instance", id);
  const auto prefix = instance_key(id);
  std::optional<LogTime> due;
  const auto damage = damage_met_in([&] {
    const auto framed = parts_.find(Table::instances, prefix, what);
    if (framed.empty()) return;
    open_row(framed, prefix.view(), what);
    due = decode_instance_due(row_body(framed), what);
  });
  if (!damage) return due;
  done_.written_over.push_back(damage->info());
  erase_due(id);
  return std::nullopt;
}

// Looks for it among all of them: hardly ever needed.
void BatchWriter::erase_due(const InstanceId& id) {
  auto& cursor = writer_.cursor(Table::due);
  std::vector<Key> keys;
  for (bool more = cursor.first(); more; more = cursor.next())
    if (cursor.key().size() == 24 && id_at(cursor.key(), 8) == id) keys.push_back(Key().add_raw(cursor.key()));
  for (const auto& key : keys) writer_.erase(Table::due, key.view());
}

void BatchWriter::put_state(const Batch& batch) {
  LogStateRow row;
  const bool is_whole = batch.log_state && batch.fold_from != 0;
  auto& cursor = writer_.cursor(Table::meta);
  if (!is_whole && cursor.seek(state_key) && cursor.key() == state_key) {
    open_row(cursor.value(), state_key, "the state of the log");
    row = decode_log_state(row_body(cursor.value()), "the state of the log");
  }
  if (batch.log_state) {
    check_row(batch.log_state->lsn, "log state");
    row.state = *batch.log_state;
  }
  if (batch.fold_from != 0) row.fold_from = batch.fold_from;
  if (batch.rows_from != 0) row.rows_from = batch.rows_from;
  put_single(Table::meta, state_key, encoder_.encode(row));
}

// Rows are filed under their prefix and a part number; the checksum covers the prefix.
void BatchWriter::put_row(Table table, const Key& prefix, Encoder::Buffer buffer) {
  const auto framed = buffer.subspan(Encoder::headroom - sizeof(RowFrame));
  seal_row(framed, prefix.view());
  replace_parts(writer_, table, prefix, view(framed));
}

void BatchWriter::put_single(Table table, std::string_view key, Encoder::Buffer buffer) {
  const auto framed = buffer.subspan(Encoder::headroom - sizeof(RowFrame));
  seal_row(framed, key);
  writer_.put(table, key, view(framed));
}

void BatchWriter::check_row(Lsn lsn, const char* kind) const {
  if (lsn > tail_.lsn)
    throw InvalidArgument("a row (" + std::string(kind) + ") stands for record " + std::to_string(lsn) +
                          ", but the log ends at " + std::to_string(tail_.lsn));
}

}  // namespace

Tail write_batch(Writer& writer, Encoder& encoder, const Batch& batch, const std::optional<PurgeOrder>& purge,
                 Tail tail, Sweep& sweep, Committed& done) {
  const auto written = BatchWriter(writer, encoder, tail, done).write(batch);
  if (purge) {
    sweep.run(writer, *purge, written.lsn, done);
    add_leftovers(writer, done.ended);
  }
  return written;
}

}  // namespace bobbin::storage
