// The Snapshot of every backend: decodes what a Reader shows.
#pragma once

#include "storage/log/identity.hpp"
#include "storage/log/parts.hpp"
#include "storage/log/table.hpp"
#include "storage/log/writer.hpp"

#include <bobbin/inspection.hpp>

namespace bobbin::storage {

class TableSnapshot final : public InspectionSnapshot {
 public:
  explicit TableSnapshot(std::unique_ptr<Reader> reader) : reader_(std::move(reader)) {}

  std::optional<Record> record(Lsn lsn) override;
  void scan(Lsn from, const std::function<bool(Record&&)>& visit) override;
  std::optional<InstanceState> instance(const InstanceId& id) override;
  std::vector<InstanceState> instances(const std::optional<InstanceId>& after, std::size_t limit) override;
  std::vector<DueEntry> due(const std::optional<DueEntry>& after, std::size_t limit,
                            const DamageVisitor& step_over = {}) override;
  std::vector<Ledger> ledgers() override;
  std::vector<DeadLetter> dead_letters(Position after, std::size_t limit, const DamageVisitor& step_over = {}) override;
  std::optional<DeadLetter> dead_letter(Position position) override;
  std::optional<Schema> schema(std::uint64_t hash) override;
  std::vector<DedupRun> dedup_runs() override;
  std::vector<Id128> dedup_hashes(std::uint64_t run, const std::optional<Id128>& after, std::size_t limit) override;
  std::optional<DedupEntry> find_dedup(std::uint64_t run, const Id128& hash) override;
  std::vector<Committed::Ended> leftovers() override;

  LogInfo info() override;
  void scan_links(Lsn from, const std::function<bool(LinkedRecord&&)>& visit) override;
  std::vector<PurgedStretch> purged_stretches() override;
  void scan_dedup_run(std::uint64_t run, const std::function<void(const DedupEntry&)>& visit) override;

  Identity identity();
  // The newest record, after the checksums of the newest `check` records and their links have been checked.
  Tail checked_tail(std::uint64_t check);

 private:
  LinkedRecord read_link();
  InstanceState read_instance();
  DeadLetter read_dead_letter();

  std::unique_ptr<Reader> reader_;
  PartReader parts_{*reader_};
};

}  // namespace bobbin::storage
