#include "storage/codec/codec.hpp"
#include "storage/log/snapshot.hpp"
#include "storage/memory/tables.hpp"
#include "tests/storage/backends.hpp"
#include "tests/storage/generate.hpp"

#include <bobbin/error.hpp>
#include <bobbin/verify.hpp>

#include <doctest/doctest.h>

using namespace bobbin;
using namespace bobbin::test;

namespace {

// A log of `runs` runs of `length` records each, side by side, with rows that agree with it.
Batch sound_log(Lsn runs, Lsn length) {
  Batch batch;
  for (Lsn lsn = 1; lsn <= runs * length; ++lsn) {
    auto record = plain_turn(lsn, 40);
    record.run = (lsn - 1) % runs + 1;
    record.run_sequence = (lsn - 1) / runs + 1;
    record.run_previous = lsn > runs ? lsn - runs : 0;
    if (record.run == lsn && lsn != 1) {
      StartInput start;
      start.name = {"o", std::to_string(lsn)};
      std::get<TurnBody>(record.body).inputs.insert(std::get<TurnBody>(record.body).inputs.begin(), start);
    }
    batch.records.push_back(std::move(record));
  }
  for (Lsn run = 1; run <= runs; ++run) {
    InstanceState state;
    state.lsn = run;
    state.name = {"o", std::to_string(run)};
    state.id = instance_id(state.name);
    state.status = RunStatus::running;
    state.begun = true;
    if (run % 2 == 0) state.timers = {{1, LogTime{}}};
    batch.instances.push_back(state);
  }
  batch.ledgers.push_back({1, "o", 5, 1, 1, 1, 1, 1, 0});
  return batch;
}

std::shared_ptr<MemoryDisk> disk_with(const Batch& batch) {
  auto disk = MemoryDisk::create();
  disk->open()->commit(batch);
  return disk;
}

VerifyReport verified(const std::shared_ptr<MemoryDisk>& disk) {
  const auto snapshot = disk->snapshot();
  return verify(*snapshot);
}

// Shows another snapshot's records as `edit` leaves them, and only those for which it says so.
class Edited final : public InspectionSnapshot {
 public:
  using Edit = std::function<bool(LinkedRecord&)>;
  Duration due_shift{};
  bool hide_due = false;
  Lsn last = 0;  // the log's, if not 0
  std::vector<PurgedStretch> purged;

  explicit Edited(
      std::unique_ptr<InspectionSnapshot> inner, Edit edit = [](LinkedRecord&) { return true; })
      : inner_(std::move(inner)), edit_(std::move(edit)) {}
  std::optional<Record> record(Lsn lsn) override { return inner_->record(lsn); }
  void scan(Lsn from, const std::function<bool(Record&&)>& visit) override { inner_->scan(from, visit); }
  std::optional<InstanceState> instance(const InstanceId& id) override { return inner_->instance(id); }
  std::vector<InstanceState> instances(const std::optional<InstanceId>& after, std::size_t limit) override {
    return inner_->instances(after, limit);
  }
  std::vector<DueEntry> due(const std::optional<DueEntry>& after, std::size_t limit,
                            const DamageVisitor& step_over) override {
    auto entries = inner_->due(after, limit, step_over);
    for (auto& entry : entries) entry.due += due_shift;
    if (hide_due) entries.clear();
    return entries;
  }
  std::vector<Ledger> ledgers() override { return inner_->ledgers(); }
  std::vector<DeadLetter> dead_letters(Position after, std::size_t limit, const DamageVisitor& step_over) override {
    return inner_->dead_letters(after, limit, step_over);
  }
  std::optional<DeadLetter> dead_letter(Position position) override { return inner_->dead_letter(position); }
  std::optional<Schema> schema(std::uint64_t hash) override { return inner_->schema(hash); }
  std::vector<DedupRun> dedup_runs() override { return inner_->dedup_runs(); }
  std::vector<Id128> dedup_hashes(std::uint64_t run, const std::optional<Id128>& after, std::size_t limit) override {
    return inner_->dedup_hashes(run, after, limit);
  }
  std::optional<DedupEntry> find_dedup(std::uint64_t run, const Id128& hash) override {
    return inner_->find_dedup(run, hash);
  }
  std::vector<Committed::Ended> leftovers() override { return inner_->leftovers(); }
  LogInfo info() override {
    auto info = inner_->info();
    if (last != 0) info.last_lsn = last;
    return info;
  }
  std::vector<PurgedStretch> purged_stretches() override { return purged; }
  void scan_links(Lsn from, const std::function<bool(LinkedRecord&&)>& visit) override {
    inner_->scan_links(from, [&](LinkedRecord&& link) { return !edit_(link) || visit(std::move(link)); });
  }
  void scan_dedup_run(std::uint64_t run, const std::function<void(const DedupEntry&)>& visit) override {
    inner_->scan_dedup_run(run, visit);
  }

 private:
  std::unique_ptr<InspectionSnapshot> inner_;
  Edit edit_;
};

Edited without(std::unique_ptr<InspectionSnapshot> inner, Lsn first, Lsn last) {
  return Edited(std::move(inner), [first, last](LinkedRecord& link) { return link.lsn < first || link.lsn > last; });
}

std::uint64_t checksum_of_record(MemoryDisk& disk, Lsn lsn) {
  std::uint64_t checksum = 0;
  disk.snapshot()->scan_links(lsn, [&checksum](LinkedRecord&& link) {
    checksum = link.checksum;
    return false;
  });
  return checksum;
}

}  // namespace

TEST_CASE("a sound log has no issues, and visitors see all of it") {
  const auto disk = disk_with(sound_log(4, 5));
  const auto snapshot = disk->snapshot();
  std::size_t records = 0;
  std::size_t instances = 0;
  std::size_t ledgers = 0;
  VerifyVisitor visitor;
  visitor.record = [&records](const Record& record) { CHECK(record.lsn == ++records); };
  visitor.instance = [&instances](const InstanceState&) { ++instances; };
  visitor.ledger = [&ledgers](const Ledger&) { ++ledgers; };
  const auto report = verify(*snapshot, visitor);
  for (const auto& issue : report.issues) MESSAGE(issue.what);
  CHECK(report.ok());
  CHECK(report.first_damage() == 0);
  CHECK(report.records == 20);
  CHECK(report.runs == 4);
  CHECK(report.instances == 4);
  CHECK(records == 20);
  CHECK(instances == 4);
  CHECK(ledgers == 1);
}

TEST_CASE("a long log is walked in several snapshots, and to where it has grown meanwhile") {
  class Growing final : public LogReader {
   public:
    explicit Growing(std::shared_ptr<MemoryDisk> disk) : disk_(std::move(disk)), store_(disk_->open()) {}
    std::unique_ptr<InspectionSnapshot> snapshot() override {
      if (snapshots++ > 0) {
        Batch batch;
        const auto last = disk_->snapshot()->info().last_lsn;
        for (Lsn lsn = last + 1; lsn <= last + 10; ++lsn) {
          auto record = plain_turn(lsn, 8);
          record.run = 1;
          record.run_sequence = lsn;
          record.run_previous = lsn - 1;
          batch.records.push_back(std::move(record));
        }
        store_->commit(batch);
      }
      return disk_->snapshot();
    }
    std::size_t snapshots = 0;

   private:
    std::shared_ptr<MemoryDisk> disk_;
    std::unique_ptr<Store> store_;
  };
  Growing log(disk_with(sound_log(1, 200'001)));
  std::uint64_t records = 0;
  VerifyVisitor visitor;
  visitor.record = [&records](const Record& record) { records += record.lsn == records + 1; };
  const auto report = verify(log, visitor);
  for (const auto& issue : report.issues) MESSAGE(issue.what);
  CHECK(report.ok());
  CHECK(log.snapshots == 3);
  CHECK(report.last_lsn == 200'021);
  CHECK(report.records == 200'021);
  CHECK(records == 200'021);
}

TEST_CASE("a flipped bit anywhere in a record is found by verify and by every reader") {
  auto log = sound_log(2, 3);
  std::get<EventInput>(std::get<TurnBody>(log.records[4].body).inputs[0]).event.value =
      std::make_shared<const Payload>(Payload{CodecId::bytes, 0, 0, std::string(3000, 'y')});
  for (const Lsn lsn : {Lsn{4}, Lsn{5}}) {  // one part, and two
    const auto disk = disk_with(log);
    storage::Encoder encoder;
    const auto size = encoder.encode(log.records[lsn - 1]).size();
    const std::size_t step = lsn == 4 ? 1 : 7;
    for (std::size_t at = 0; at < size; at += step) {
      disk->damage_record(lsn, at, static_cast<std::uint8_t>(1u << at % 8));
      const auto report = verified(disk);
      REQUIRE(!report.ok());
      REQUIRE(report.first_damage() == lsn);
      REQUIRE_THROWS_AS(disk->snapshot()->record(lsn), Corrupt);
      REQUIRE_THROWS_AS(disk->snapshot()->scan(1, [](Record&&) { return true; }), Corrupt);
      REQUIRE_THROWS_AS(disk->open(), Corrupt);
      disk->damage_record(lsn, at, static_cast<std::uint8_t>(1u << at % 8));
    }
    CHECK(verified(disk).ok());
    CHECK_THROWS_AS(disk->damage_record(lsn, size, 1), Error);
  }
}

TEST_CASE("damage is named, and what stands behind it is still read") {
  const auto disk = disk_with(sound_log(2, 5));
  disk->damage_record(3, 40, 1);
  disk->damage_record(8, 50, 1);
  const auto report = verified(disk);
  CHECK(report.issue_count == 2);
  CHECK(report.first_damage() == 3);
  CHECK(report.issues[0].what.find("record 3") != std::string::npos);
  CHECK(report.issues[1].lsn == 8);
  CHECK(report.records == 8);
}

TEST_CASE("broken chains of runs are found") {
  const auto issue_of = [](const std::function<void(std::vector<Record>&)>& damage) {
    auto log = sound_log(2, 4);
    damage(log.records);
    const auto report = verified(disk_with(log));
    return report.ok() ? Lsn{0} : report.first_damage();
  };
  CHECK(issue_of([](auto&) {}) == 0);
  CHECK(issue_of([](auto& records) { records[4].run_sequence = 4; }) == 5);
  CHECK(issue_of([](auto& records) { records[4].run_previous = 2; }) == 5);
  CHECK(issue_of([](auto& records) { records[4].run = 77; }) == 5);
  CHECK(issue_of([](auto& records) { records[4].run = 5; }) == 5);
  CHECK(issue_of([](auto& records) { records[1].run_sequence = 2; }) == 2);
  CHECK(issue_of([](auto& records) { records[1].run_previous = 1; }) == 2);
  CHECK(issue_of([](auto& records) { std::get<TurnBody>(records[0].body).inputs.clear(); }) == 1);
}

TEST_CASE("a record that was put in another's place does not continue the chain") {
  Edited swapped(disk_with(sound_log(2, 4))->snapshot(), [](LinkedRecord& link) {
    if (link.lsn == 6) ++link.previous_checksum;
    return true;
  });
  const auto report = verify(swapped);
  CHECK(report.issue_count == 1);
  CHECK(report.first_damage() == 6);
}

TEST_CASE("records missing at the end are found") {
  auto cut = without(disk_with(sound_log(2, 4))->snapshot(), 7, 8);
  CHECK(verify(cut).first_damage() == 7);
}

TEST_CASE("a purged stretch is told from a lost one") {
  auto log = sound_log(3, 4);
  // Run 1's records 1, 4, 7, 10: purge records 1 only, so that the rest hangs on what is gone.
  const auto first = disk_with(log);
  {
    auto lost = without(first->snapshot(), 4, 6);
    const auto report = verify(lost);
    CHECK(!report.ok());
    CHECK(report.first_damage() == 4);
  }
  const auto purge = [&](Lsn from, Lsn to, std::uint64_t checksum) {
    auto purged = without(disk_with(log)->snapshot(), 1, 6);
    purged.purged = {{from, to, checksum}};
    return verify(purged);
  };
  const auto checksum = checksum_of_record(*first, 6);
  const auto report = purge(1, 6, checksum);
  for (const auto& issue : report.issues) MESSAGE(issue.what);
  CHECK(report.ok());
  REQUIRE(report.purged.size() == 1);
  CHECK(report.purged[0].first == 1);
  CHECK(report.purged[0].last == 6);
  CHECK(!purge(1, 5, checksum).ok());
  CHECK(!purge(2, 6, checksum).ok());
  CHECK(!purge(1, 6, checksum + 1).ok());
  // It has grown since the records were walked, and names another record's checksum now.
  CHECK(purge(1, 7, checksum + 1).ok());
}

TEST_CASE("rows that break a promise are found") {
  auto log = sound_log(1, 3);
  log.ledgers[0].consumed = 2;
  CHECK(verified(disk_with(log)).issue_count == 1);
  log = sound_log(1, 3);
  log.instances[0].id.bytes[0] ^= 1;
  CHECK(verified(disk_with(log)).issue_count == 1);
  log = sound_log(1, 3);
  log.dedup_chunks.push_back({5, {DedupEntry{}, DedupEntry{}}});
  log.dedup_runs.push_back({5, 3, 3, {}});
  CHECK(verified(disk_with(log)).issue_count == 1);
  log.dedup_runs[0].entries = 2;
  CHECK(verified(disk_with(log)).ok());
}

TEST_CASE("rows and a beginning of folding that stand for records which the log lacks are found") {
  auto log = sound_log(2, 3);
  DeadLetter letter;
  letter.lsn = 5;
  letter.position = {5, 0};
  letter.name = {"o", "1"};
  log.dead_letters.push_back(letter);
  log.fold_from = 7;
  const auto disk = disk_with(log);
  CHECK(verified(disk).ok());
  auto cut = without(disk->snapshot(), 5, 6);
  cut.last = 4;
  const auto report = verify(cut);
  REQUIRE(report.issue_count == 2);
  CHECK(report.issues[0].what.find("folding is to begin at record 7") != std::string::npos);
  CHECK(report.issues[1].what.find("dead letter 5.0 stands for record 5, but the log ends at 4") != std::string::npos);
}

TEST_CASE("a record that recovery passes over though a row lacks it is found") {
  auto log = sound_log(2, 3);
  for (auto& record : log.records) record.instance = instance_id({"o", std::to_string(record.run)});
  for (auto& row : log.instances) row.lsn += 4;  // the last record of each
  log.fold_from = 3;
  log.rows_from = 7;
  CHECK(verified(disk_with(log)).ok());
  log.instances[1].lsn = 5;
  const auto report = verified(disk_with(log));
  REQUIRE(report.issue_count == 1);
  CHECK(report.issues[0].lsn == 6);
  CHECK(report.issues[0].what.find("recovery passes over record 6") != std::string::npos);
  log.rows_from = 6;
  CHECK(verified(disk_with(log)).ok());
}

TEST_CASE("due times and rows that disagree are found from both sides") {
  const auto says = [](const VerifyReport& report, std::string_view part) {
    for (const auto& issue : report.issues)
      if (issue.what.find(part) != std::string::npos) return true;
    return false;
  };
  const auto disk = disk_with(sound_log(4, 2));
  Edited hidden(disk->snapshot());
  hidden.hide_due = true;
  CHECK(says(verify(hidden), "is not entered among the due times"));
  Edited shifted(disk->snapshot());
  shifted.due_shift = Duration(1);
  CHECK(says(verify(shifted), "that its row does not have"));
}

TEST_CASE("a row whose name gives another id, or is none, is reported") {
  for (const auto& name : {InstanceName{"o", "other"}, InstanceName{"", "1"}, InstanceName{"o", ""},
                           InstanceName{std::string(129, 'o'), "1"}, InstanceName{"o", std::string(1025, 'k')}}) {
    auto batch = sound_log(1, 3);
    batch.instances[0].name = name;
    const auto report = verified(disk_with(batch));
    CHECK(report.issue_count == 1);
    CHECK(report.issues.at(0).what.find("has a name that does not give this id") != std::string::npos);
  }
}

TEST_CASE("a key longer than any that Bobbin writes is refused by reads and reported by verify") {
  using namespace bobbin::storage;
  for (const auto table : {Table::log, Table::instances, Table::ledgers, Table::dead_letters, Table::due}) {
    const auto tables = std::make_shared<VersionedTables>();
    {
      MemoryWriter writer(tables);
      write_identity(writer, {});
      writer.put(table, std::string(504, 'k'), "a value.");
      writer.commit();
    }
    TableSnapshot snapshot(std::make_unique<MemoryReader>(tables));
    CAPTURE(table_names[static_cast<std::size_t>(table)]);
    CHECK(verify(snapshot).issue_count > 0);
    if (table == Table::instances) CHECK_THROWS_AS(snapshot.instances({}, 10), Corrupt);
    if (table == Table::ledgers) CHECK_THROWS_AS(snapshot.ledgers(), Corrupt);
    if (table == Table::dead_letters) CHECK_THROWS_AS(snapshot.dead_letters({}, 10), Corrupt);
  }
}
