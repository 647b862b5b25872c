#include "engine/runtime/log_builder.hpp"

#include "engine/runtime/payloads.hpp"

#include <bobbin/assert.hpp>
#include <bobbin/damage.hpp>

#include <algorithm>

namespace bobbin {

namespace {

// What a batch carries of the checkpoint, beside one row for each of its records: so rows leave as fast as records make
// them, and the tail that recovery folds stays bounded.
constexpr std::size_t rows_a_batch = 64;
constexpr std::size_t row_bytes_a_batch = 4u << 20;
constexpr std::size_t dedup_chunks_a_batch = 16;
// Rows leave in the order of their table, so many batches' share at a time.
constexpr std::size_t batches_a_stretch = 8;
// Rows that a batch deletes, beside those of the records that it may purge; no more than are felt, but as many as may
// come of its own records.
constexpr std::size_t forgotten_a_batch = 256;
constexpr std::size_t forgotten_a_batch_max = 1'024;
// With a tail that has come half-way to its bound, batches carry so many times as much, and rows are old sooner.
constexpr std::size_t share_when_behind = 4;
// Recovery loads each row that it folds a record into, which costs about as much as to fold this many records more:
// what few dirty rows save it, their age may use up.
constexpr std::uint64_t records_a_row = 3;
// The rest of a record, and its share of the rows that follow from it.
constexpr std::size_t bytes_around_payloads = 1'024;

bool starts_run(const Record& record) {
  const auto& inputs = inputs_of(record);
  return !inputs.empty() && std::holds_alternative<StartInput>(inputs.front());
}

std::size_t rows_to_go(std::size_t records) {
  return std::min(forgotten_a_batch + Purge::looked_at_per_record * records, std::max(forgotten_a_batch_max, records));
}

const Record* record_in(const SealedBatch& sealed, Lsn lsn) {
  const auto& records = sealed.batch.records;
  if (records.empty() || lsn < records.front().lsn || lsn > records.back().lsn) return nullptr;
  return &records[lsn - records.front().lsn];
}

}  // namespace

LogBuilder::LogBuilder(Store& store, Overlay& overlay, DedupIndex& dedup, Purge& purge, Tail& tail,
                       const LogClock& clock, const EngineOptions& options, BatchPool& batches, Lsn last,
                       DamageVisitor on_written_over)
    : store_(store),
      overlay_(overlay),
      dedup_(dedup),
      purge_(purge),
      tail_(tail),
      clock_(clock),
      options_(options),
      batches_(batches),
      on_written_over_(std::move(on_written_over)),
      last_(last),
      fold_from_(store.info().fold_from),
      rows_from_(store.info().rows_from),
      open_(batches.take()),
      relief_rows_(forgotten_a_batch) {}

Lsn LogBuilder::append(const InstanceId& instance, RecordBody body) {
  Record record;
  record.instance = instance;
  record.body = std::move(body);
  if (instance != InstanceId{}) {
    const auto& state = overlay_.instance(instance);
    if (starts_run(record)) {
      record.run = next_lsn();
      record.run_sequence = 1;
    } else if (state.live()) {
      record.run = state.run;
      record.run_sequence = state.run_sequence + 1;
      record.run_previous = state.last_record;
    }
  }
  add(std::move(record));
  const auto lsn = last_;
  add_missing_schemas(open_->batch.records.back());
  return lsn;
}

void LogBuilder::add(Record record) {
  record.lsn = ++last_;
  record.log_time = clock_.now();
  record.elapsed = clock_.elapsed();
  const auto bytes = payload_bytes(record);
  open_bytes_ += bytes;
  bytes_ += bytes + bytes_around_payloads;
  tail_.add(record.lsn, bytes);
  open_->batch.records.push_back(std::move(record));
  fold(open_->batch.records.back(), overlay_);
  overlay_.note(open_->batch.records.back());
}

void LogBuilder::add_missing_schemas(const Record& record) {
  std::vector<PayloadPtr> unknown;
  for_each_payload(record, [&](const PayloadPtr& payload) {
    if (payload && payload->schema && !known_schemas_.contains(payload->schema_hash)) unknown.push_back(payload);
  });
  for (const auto& payload : unknown) add_schema(payload);  // adding moves the batch's records
}

void LogBuilder::add_schema(const PayloadPtr& payload) {
  if (!known_schemas_.insert(payload->schema_hash).second) return;
  bool is_stored = false;
  const auto damage = damage_met_in([&] { is_stored = store_.snapshot()->schema(payload->schema_hash).has_value(); });
  if (damage) on_written_over_(damage->info());
  if (is_stored) return;
  Record record;
  record.body = SchemaBody{*payload->schema};
  add(std::move(record));
}

std::uint64_t LogBuilder::tail_weight() const { return tail_.weight_behind(fold_from_ - 1); }

bool LogBuilder::full() const {
  return records() >= options_.batch_records || open_->completions.size() >= options_.batch_records ||
         open_bytes_ >= options_.batch_bytes || (records() > 0 && tail_weight() >= options_.tail_records_max);
}

std::shared_ptr<SealedBatch> LogBuilder::seal() {
  auto sealed = std::exchange(open_, batches_.take());
  open_->completions.reserve(2 * sealed->completions.size());
  open_bytes_ = 0;
  sealed->fold_from_before = fold_from_;
  if (!sealed->batch.records.empty()) checkpoint(sealed->batch);
  overlay_.add_used_again(sealed->batch);
  overlay_.add_forgotten(sealed->batch, rows_to_go(sealed->batch.records.size()));
  if (!relieving_) purge_.drop_names(sealed->batch);
  purge_.add_order(sealed->batch, fold_from_);
  if (!sealed->batch.empty()) in_flight_.push_back(sealed);
  return sealed;
}

void LogBuilder::hurry(bool on) {
  if (on != hurried_) nothing_left_ = false;
  hurried_ = on;
}

void LogBuilder::checkpoint(Batch& batch) {
  const bool behind = hurried_ || tail_weight() >= options_.tail_records_max / 2;
  const auto share = [&](std::size_t least, std::size_t for_records) {
    return (least + for_records) * (behind ? share_when_behind : 1);
  };
  auto age = options_.checkpoint_age_records;
  if (behind) age = std::min(age, options_.tail_records_max / 4);
  if (hurried_) age = std::min(age, tail_left_in_hurry / 2);
  if (hurried_ && tail_weight() > tail_left_in_hurry) dedup_.hurry();
  overlay_.checkpoint(
      batch, last_,
      {tail_.record_before(behind ? age : age_while_few_are_dirty()), tail_.record_before(age / 2),
       share(rows_a_batch, batch.records.size()), share(row_bytes_a_batch, 0), behind ? 1 : batches_a_stretch});
  dedup_.checkpoint(batch, last_, share(dedup_chunks_a_batch, batch.records.size() / 16));
  const auto rows_from = overlay_.oldest_dirty(last_);
  const auto fold_from = std::min(rows_from, dedup_.oldest_dirty(last_));
  const bool rows_left = !batch.instances.empty() || !batch.ledgers.empty() || !batch.dedup_runs.empty();
  nothing_left_ = hurried_ && !rows_left && batch.dedup_chunks.empty();
  if ((fold_from == fold_from_ && rows_from == rows_from_) || !rows_left) return;
  rows_from_ = rows_from;
  fold_from_ = fold_from;
  tail_.forget_up_to(fold_from - 1);
  batch.fold_from = fold_from;
  batch.rows_from = rows_from;
  batch.log_state = overlay_.log_state_before(fold_from);
}

// Below where checkpoints begin to hurry.
std::uint64_t LogBuilder::age_while_few_are_dirty() const {
  const auto age = options_.checkpoint_age_records;
  const auto saved = records_a_row * (age - std::min<std::uint64_t>(age, overlay_.dirty_rows()));
  return std::min(age + saved, std::max(age, options_.tail_records_max / 4));
}

const Record* LogBuilder::newest(Lsn lsn) const { return record_in(*open_, lsn); }

std::shared_ptr<const Record> LogBuilder::fetch(Lsn lsn) {
  for (const auto& sealed : in_flight_)
    if (const auto* record = record_in(*sealed, lsn)) return {sealed, record};
  if (const auto* record = newest(lsn)) return std::make_shared<const Record>(*record);  // the open batch still grows
  auto stored = store_.snapshot()->record(lsn);
  return stored ? std::make_shared<const Record>(std::move(*stored)) : nullptr;
}

Batch LogBuilder::relief() {
  Batch batch;
  overlay_.add_forgotten(batch, relief_rows_);
  const auto fold_from_stored = in_flight_.empty() ? fold_from_ : in_flight_.front()->fold_from_before;
  batch.purge = purge_.relief(fold_from_stored);
  relieving_ = !batch.empty();
  return batch;
}

void LogBuilder::relieved(const LogWriter::Relief& relief) {
  relieving_ = false;
  // Rows lie in more pages than history: where they do not fit, a purge alone may.
  relief_rows_ = relief.done ? std::min(2 * relief_rows_ + 1, forgotten_a_batch) : relief_rows_ / 4;
  if (!relief.done) return overlay_.forget_later(relief.batch);
  for (const auto& damage : relief.done->written_over) on_written_over_(damage);
  overlay_.forgotten_stored(relief.batch);
  purge_.relieved(*relief.done);
}

void LogBuilder::committed() {
  for (; !in_flight_.empty() && in_flight_.front()->written; in_flight_.pop_front()) {
    const auto& sealed = *in_flight_.front();
    for (const auto& damage : sealed.done.written_over) on_written_over_(damage);
    overlay_.forgotten_stored(sealed.batch);
    if (sealed.batch.purge) purge_.done(sealed.done);
    batches_.give_back(std::move(in_flight_.front()));
  }
}

}  // namespace bobbin
