#include "storage/lmdb/environment.hpp"
#include "storage/lmdb/failure.hpp"
#include "storage/lmdb/space.hpp"
#include "storage/log/snapshot.hpp"
#include "storage/log/writer.hpp"

#include <bobbin/lmdb.hpp>

#include <algorithm>
#include <cerrno>
#include <limits>

namespace bobbin {

namespace {

using storage::Environment;
using storage::LmdbFailure;
using storage::TableSnapshot;

// Records at the end whose checksums and links are checked at open: what the last commits before a crash wrote.
constexpr std::uint64_t tail_checked = 64;
constexpr std::uint64_t commits_between_reader_checks = 256;

std::unique_ptr<TableSnapshot> snapshot_of(const std::shared_ptr<Environment>& environment) {
  return std::make_unique<TableSnapshot>(std::make_unique<storage::LmdbReader>(environment));
}

class LmdbStore final : public Store {
 public:
  LmdbStore(std::shared_ptr<Environment> environment, const LmdbOptions& options);

  LogInfo info() const override { return info_; }
  Committed commit(const Batch& batch) override;
  std::uint64_t reserve(std::uint64_t bytes) override;
  std::unique_ptr<Snapshot> snapshot() override { return snapshot_of(environment_); }

 private:
  Committed write(const Batch& batch, const std::optional<PurgeOrder>& purge);
  Committed write_with_purge(const Batch& batch);
  [[noreturn]] void fail_write(const LmdbFailure& failure);
  void finish(storage::LmdbWriter& writer);

  std::shared_ptr<Environment> environment_;
  LogInfo info_;
  storage::Tail tail_;
  storage::Sweep sweep_;
  storage::Encoder encoder_;
  storage::Space space_;
  std::size_t purge_max_ = std::numeric_limits<std::size_t>::max() / 2;  // records a purge looks at, so that it fits
  std::uint64_t commits_ = 0;
  std::string broken_;  // why no commit may follow; empty: all is well
};

LmdbStore::LmdbStore(std::shared_ptr<Environment> environment, const LmdbOptions& options)
    : environment_(std::move(environment)), space_(*environment_, options.log_line) {
  const auto snapshot = snapshot_of(environment_);
  info_ = snapshot->info();
  info_.due = space_.entries(storage::Table::due);
  tail_ = snapshot->checked_tail(tail_checked);
  if (info_.state.lsn > tail_.lsn || info_.fold_from > tail_.lsn + 1)
    throw Corrupt("the log in " + environment_->directory().string() + " ends at record " + std::to_string(tail_.lsn) +
                  ", but its checkpoint stands for later ones; restore a backup");
}

Committed LmdbStore::commit(const Batch& batch) {
  environment_->check_process();
  if (!broken_.empty())
    throw Closed("nothing was written: an earlier commit failed (" + broken_ + "); close the store and open it again");
  auto done = batch.purge ? write_with_purge(batch) : write(batch, batch.purge);
  if (++commits_ % commits_between_reader_checks == 0) environment_->clear_dead_readers();
  return done;
}

std::uint64_t LmdbStore::reserve(std::uint64_t bytes) {
  try {
    return space_.reserve(bytes);
  } catch (const LmdbFailure& failure) {
    fail_write(failure);
  }
}

// A purge makes room, but takes some first: where that lacks, the rest of the batch goes without, and the next purge is
// a smaller one.
Committed LmdbStore::write_with_purge(const Batch& batch) {
  auto order = *batch.purge;
  order.records = std::min(order.records, purge_max_);
  try {
    auto done = write(batch, order);
    if (purge_max_ < batch.purge->records) purge_max_ *= 2;
    return done;
  } catch (const StorageFull&) {
    purge_max_ = std::max<std::size_t>(order.records / 4, 1);
    auto done = write(batch, std::nullopt);
    done.rests = true;
    return done;
  }
}

Committed LmdbStore::write(const Batch& batch, const std::optional<PurgeOrder>& purge) {
  Committed done;
  auto sweep = sweep_;
  storage::Tail tail;
  std::optional<storage::LmdbWriter> writer;
  try {
    writer.emplace(environment_->handle(), environment_->databases());
    tail = storage::write_batch(*writer, encoder_, batch, purge, tail_, sweep, done);
    if (!space_.fits(*writer)) fail_write(LmdbFailure(ENOSPC, "reserving space"));
  } catch (const LmdbFailure& failure) {
    fail_write(failure);
  } catch (const CorruptLog& error) {  // what was looked at on the way cannot be read
    broken_ = error.what();
    throw;
  }
  finish(*writer);
  tail_ = tail;
  sweep_ = sweep;
  return done;
}

// Nothing has been committed: the transaction is dropped on the way out.
void LmdbStore::fail_write(const LmdbFailure& failure) {
  if (failure.is_full())
    throw StorageFull(std::string("nothing was written, the log is full: ") + failure.what() +
                      "; make room on the disk, or open the log with a larger map");
  broken_ = failure.what();
  const auto message = "the log in " + environment_->directory().string() + " cannot be written: " + broken_;
  if (failure.is_corrupt()) throw CorruptLog(message + "; restore a backup");
  throw OutcomeUnknown(message + "; open it again to see what is durable");
}

void LmdbStore::finish(storage::LmdbWriter& writer) {
  try {
    writer.commit();
  } catch (const LmdbFailure& failure) {
    // A full map shows before anything is written; after any other failure the meta page may or may not be on the disk.
    if (failure.number() == MDB_MAP_FULL) fail_write(failure);
    broken_ = failure.what();
    throw OutcomeUnknown("the last commit to the log in " + environment_->directory().string() +
                         " may or may not be durable: " + broken_ +
                         "; check the disk, open the log again to see, and repeat with the same dedup ids");
  }
}

class LmdbLogReader final : public LogReader {
 public:
  explicit LmdbLogReader(std::shared_ptr<Environment> environment) : environment_(std::move(environment)) {}
  std::unique_ptr<InspectionSnapshot> snapshot() override { return snapshot_of(environment_); }
  void check_pages() override { environment_->check_all_pages(); }

 private:
  std::shared_ptr<Environment> environment_;
};

}  // namespace

std::unique_ptr<Store> open_lmdb(const std::filesystem::path& directory, const LmdbOptions& options) {
  return std::make_unique<LmdbStore>(Environment::open_to_write(directory, options), options);
}

std::unique_ptr<LogReader> open_lmdb_read_only(const std::filesystem::path& directory) {
  auto environment = Environment::open_to_read(directory);
  snapshot_of(environment)->identity();  // refuses a newer format before anything is shown
  return std::make_unique<LmdbLogReader>(std::move(environment));
}

}  // namespace bobbin
