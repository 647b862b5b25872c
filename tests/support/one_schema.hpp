// A snapshot that holds one schema and nothing else, for what decodes payloads.
#pragma once

#include <bobbin/store.hpp>

#include <utility>

namespace bobbin::testing {

class OneSchema final : public Snapshot {
 public:
  explicit OneSchema(Schema schema) : schema_(std::move(schema)) {}

  std::optional<Record> record(Lsn) override { return {}; }
  void scan(Lsn, const std::function<bool(Record&&)>&) override {}
  std::optional<InstanceState> instance(const InstanceId&) override { return {}; }
  std::vector<InstanceState> instances(const std::optional<InstanceId>&, std::size_t) override { return {}; }
  std::vector<DueEntry> due(const std::optional<DueEntry>&, std::size_t, const DamageVisitor&) override { return {}; }
  std::vector<Ledger> ledgers() override { return {}; }
  std::vector<DeadLetter> dead_letters(Position, std::size_t, const DamageVisitor&) override { return {}; }
  std::optional<DeadLetter> dead_letter(Position) override { return {}; }
  std::optional<Schema> schema(std::uint64_t hash) override {
    if (hash != schema_.hash) return {};
    return schema_;
  }
  std::vector<DedupRun> dedup_runs() override { return {}; }
  std::vector<Id128> dedup_hashes(std::uint64_t, const std::optional<Id128>&, std::size_t) override { return {}; }
  std::optional<DedupEntry> find_dedup(std::uint64_t, const Id128&) override { return {}; }
  std::vector<Committed::Ended> leftovers() override { return {}; }

 private:
  Schema schema_;
};

}  // namespace bobbin::testing
