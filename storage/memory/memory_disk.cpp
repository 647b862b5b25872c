#include "storage/log/frame.hpp"
#include "storage/log/identity.hpp"
#include "storage/log/snapshot.hpp"
#include "storage/log/writer.hpp"
#include "storage/memory/tables.hpp"

#include <bobbin/memory_store.hpp>

#include <algorithm>
#include <atomic>
#include <cstring>

namespace bobbin {

namespace {

using storage::MemoryReader;
using storage::MemoryWriter;
using storage::TableSnapshot;
using storage::VersionedTables;

constexpr std::uint64_t tail_checked = 64;

// Where a row lies, or its first piece.
struct Place {
  using Found = std::pair<storage::Table, storage::Key>;
  Found operator()(const InstanceId& id) const { return {storage::Table::instances, storage::instance_key(id)}; }
  Found operator()(const Position& letter) const {
    return {storage::Table::dead_letters, storage::dead_letter_key(letter)};
  }
  Found operator()(const DueEntry& entry) const { return {storage::Table::due, storage::due_key(entry)}; }
  Found operator()(const PurgedStretch& stretch) const {
    return {storage::Table::gaps, storage::gap_key(stretch.first)};
  }
  Found operator()(const Schema& schema) const { return {storage::Table::schemas, storage::schema_key(schema.hash)}; }
  Found operator()(const DedupRun& run) const {
    return {storage::Table::dedup_chunks, storage::dedup_run_key(run.run)};
  }
  Found operator()(const Committed::Ended&) const {
    return {storage::Table::holds, storage::Key().add_raw(storage::leftovers_prefix)};
  }
};

class Disk final : public MemoryDisk {
 public:
  explicit Disk(std::shared_ptr<VersionedTables> tables, std::uint64_t before)
      : tables_(std::move(tables)), before_(before) {}

  std::unique_ptr<Store> open() override;
  std::unique_ptr<InspectionSnapshot> snapshot() override {
    return std::make_unique<TableSnapshot>(std::make_unique<MemoryReader>(tables_));
  }
  std::uint64_t commits() const override { return tables_->commits() - before_; }
  std::shared_ptr<MemoryDisk> prefix(std::uint64_t commits) const override;
  void damage_record(Lsn lsn, std::size_t offset, std::uint8_t mask) override {
    const auto key = storage::log_key(lsn).add(std::uint64_t{offset / storage::part_bytes_max});
    damage(storage::Table::log, key, offset % storage::part_bytes_max, mask);
  }
  void damage_row(const Row& row, std::size_t offset, std::uint8_t mask) override;

 private:
  friend class MemoryStore;
  void damage(storage::Table table, const storage::Key& key, std::size_t offset, std::uint8_t mask);

  std::shared_ptr<VersionedTables> tables_;
  std::uint64_t before_;  // commits that made the empty log
  std::atomic<bool> open_ = false;
};

// Holds the disk open; commits like the LMDB store.
class MemoryStore final : public Store {
 public:
  explicit MemoryStore(std::shared_ptr<Disk> disk);
  ~MemoryStore() override { disk_->open_ = false; }
  MemoryStore(const MemoryStore&) = delete;
  MemoryStore& operator=(const MemoryStore&) = delete;

  LogInfo info() const override { return info_; }
  Committed commit(const Batch& batch) override;
  std::unique_ptr<Snapshot> snapshot() override { return disk_->snapshot(); }

 private:
  std::shared_ptr<Disk> disk_;
  LogInfo info_;
  storage::Tail tail_;
  storage::Sweep sweep_;
  storage::Encoder encoder_;
};

MemoryStore::MemoryStore(std::shared_ptr<Disk> disk) : disk_(std::move(disk)) {
  if (disk_->open_.exchange(true)) throw Locked("the log in memory is open in another store; close that one first");
  try {
    TableSnapshot snapshot(std::make_unique<MemoryReader>(disk_->tables_));
    info_ = snapshot.info();
    tail_ = snapshot.checked_tail(tail_checked);
  } catch (...) {
    disk_->open_ = false;
    throw;
  }
}

Committed MemoryStore::commit(const Batch& batch) {
  Committed done;
  auto sweep = sweep_;
  MemoryWriter writer(disk_->tables_);
  const auto tail = storage::write_batch(writer, encoder_, batch, batch.purge, tail_, sweep, done);
  writer.commit();
  tail_ = tail;
  sweep_ = sweep;
  return done;
}

std::unique_ptr<Store> Disk::open() {
  return std::make_unique<MemoryStore>(std::static_pointer_cast<Disk>(shared_from_this()));
}

std::shared_ptr<MemoryDisk> Disk::prefix(std::uint64_t commits) const {
  if (commits > this->commits())
    throw InvalidArgument("the disk has seen " + std::to_string(this->commits()) + " commits, not " +
                          std::to_string(commits));
  return std::make_shared<Disk>(tables_->prefix(commits + before_), before_);
}

void Disk::damage_row(const Row& row, std::size_t offset, std::uint8_t mask) {
  const auto [table, key] = std::visit(Place{}, row);
  damage(table, key, offset, mask);
}

// Of the first value whose key begins with this.
void Disk::damage(storage::Table table, const storage::Key& key, std::size_t offset, std::uint8_t mask) {
  MemoryReader reader(tables_);
  auto& cursor = reader.cursor(table);
  if (!cursor.seek(key.view()) || !cursor.key().starts_with(key.view()))
    throw NotFound("there is no such value to damage");
  std::string value(cursor.value());
  if (offset >= value.size())
    throw InvalidArgument("the value has " + std::to_string(value.size()) + " bytes, and none at " +
                          std::to_string(offset));
  value[offset] = static_cast<char>(static_cast<std::uint8_t>(value[offset]) ^ mask);
  tables_->overwrite(table, cursor.key(), std::move(value));
}

Id128 id_from_seed(std::uint64_t seed, std::uint64_t use) {
  Id128 id;
  const std::array<std::uint64_t, 2> input{seed, use};
  const std::string_view bytes(reinterpret_cast<const char*>(input.data()), sizeof input);
  for (std::uint64_t half = 0; half < 2; ++half) {
    const auto word = storage::checksum_of(bytes, half);
    std::memcpy(id.bytes.data() + half * sizeof word, &word, sizeof word);
  }
  return id;
}

}  // namespace

std::shared_ptr<MemoryDisk> MemoryDisk::create(std::uint64_t seed) {
  auto tables = std::make_shared<VersionedTables>();
  MemoryWriter writer(tables);
  write_identity(writer, {storage::format_version, id_from_seed(seed, 1), id_from_seed(seed, 2)});
  writer.commit();
  return std::make_shared<Disk>(std::move(tables), 1);
}

}  // namespace bobbin
