// What a purge leaves of a log, on each backend.
#include "tests/storage/backends.hpp"
#include "tests/storage/generate.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace bobbin;
using namespace bobbin::test;

namespace {

constexpr Lsn records = 3'000;
constexpr Lsn below = 2'900;
constexpr RunId earlier_run = 7;

InstanceState row_of(const Id128& id, std::size_t number) {
  InstanceState row;
  row.id = id;
  row.lsn = records;
  row.name = {"it", std::to_string(number)};
  row.status = number % 2 == 0 ? RunStatus::running : RunStatus::completed;
  row.run = 100 + number;
  return row;
}

// Of an instance's last run or an earlier one, of one to several parts.
Record record_of(const InstanceState& row, Lsn lsn, Generator& generate) {
  auto record = plain_turn(lsn, generate.below(generate.below(8) == 0 ? 20'000 : 1'500));
  record.instance = row.id;
  record.run = generate.below(3) == 0 ? row.run : earlier_run;
  record.elapsed = Elapsed(static_cast<std::int64_t>(lsn));
  return record;
}

bool is_needed(const InstanceState& row, const Record& record) {
  return record.lsn >= below || (row.live() && record.run == row.run);
}

}  // namespace

TEST_CASE_TEMPLATE("S28: a purge in steps takes what nothing needs, and leaves the rest as it was", Backend, STORES) {
  Backend backend;
  Generator generate(21);
  std::vector<InstanceState> rows;
  for (std::size_t i = 0; i < 40; ++i) rows.push_back(row_of(generate.id(), i));
  std::vector<std::string> expected(records + 1);  // empty: to be gone
  std::uint64_t to_go = 0;
  {
    const auto store = backend.open();
    for (Lsn lsn = 1; lsn <= records;) {
      Batch batch;
      for (auto count = 1 + generate.below(200); count > 0 && lsn <= records; --count, ++lsn) {
        const auto& row = rows[generate.below(rows.size())];
        batch.records.push_back(record_of(row, lsn, generate));
        if (is_needed(row, batch.records.back()))
          expected[lsn] = show(batch.records.back());
        else
          ++to_go;
      }
      if (lsn > records) {
        std::ranges::sort(rows, {}, &InstanceState::id);
        batch.instances = rows;
      }
      store->commit(batch);
    }
    std::uint64_t purged = 0;
    for (bool rests = true; rests;) {
      Batch batch;
      batch.purge.emplace();
      batch.purge->until = Elapsed(records);
      batch.purge->below = below;
      batch.purge->records = 1 + generate.below(150);
      const auto done = store->commit(batch);
      purged += done.purged;
      rests = done.rests;
    }
    CHECK(purged == to_go);
  }
  const auto store = backend.open();
  const auto snapshot = store->snapshot();
  for (Lsn lsn = 1; lsn <= records; ++lsn) {
    const auto record = snapshot->record(lsn);
    REQUIRE((record ? show(*record) : "") == expected[lsn]);
  }
}

namespace {

// Each ended in its one record, which is that of its number; a record of none follows.
std::vector<InstanceState> commit_ended(Store& store, Lsn count, Generator& generate) {
  Batch batch;
  for (Lsn lsn = 1; lsn <= count; ++lsn) {
    auto row = row_of(generate.id(), 1);
    row.run = row.lsn = lsn;
    batch.instances.push_back(row);
    batch.records.push_back(record_of(row, lsn, generate));
    batch.records.back().run = lsn;
  }
  batch.records.push_back(plain_turn(count + 1, 100));
  batch.records.back().instance = {};
  const auto rows = batch.instances;
  std::ranges::sort(batch.instances, {}, &InstanceState::id);
  store.commit(batch);
  return rows;
}

Committed purge(Store& store, std::size_t most) {
  Batch batch;
  batch.purge = PurgeOrder{.until = Elapsed(records), .below = below, .records = most};
  return store.commit(batch);
}

std::vector<Lsn> left_over(Store& store) {
  std::vector<Lsn> lsns;
  for (const auto& ended : store.snapshot()->leftovers()) lsns.push_back(ended.lsn);
  std::ranges::sort(lsns);
  return lsns;
}

std::vector<Lsn> from_to(Lsn first, Lsn last) {
  std::vector<Lsn> lsns;
  for (auto lsn = first; lsn <= last; ++lsn) lsns.push_back(lsn);
  return lsns;
}

}  // namespace

TEST_CASE_TEMPLATE("S28: rows that purges leave over stay named until they are said to be gone", Backend, STORES) {
  Backend backend;
  Generator generate(22);
  std::vector<InstanceState> rows;
  {
    const auto store = backend.open();
    rows = commit_ended(*store, 400, generate);
    CHECK(left_over(*store).empty());
    CHECK(purge(*store, 300).ended.size() == 300);
    CHECK(left_over(*store) == from_to(1, 300));
  }
  const auto store = backend.open();
  CHECK(left_over(*store) == from_to(1, 300));
  CHECK(purge(*store, 50).ended.size() == 50);
  Batch batch;
  for (std::size_t i = 0; i < 350; ++i) batch.forgotten.push_back(rows[i].id);
  store->commit(batch);
  CHECK(left_over(*store) == from_to(1, 350));

  INFO("with the batch that says so, whose own purge names others");
  batch = {};
  batch.leftovers_gone = true;
  batch.purge = PurgeOrder{.until = Elapsed(records), .below = below, .records = 30};
  CHECK(store->commit(batch).ended.size() == 30);
  CHECK(left_over(*store) == from_to(351, 380));

  INFO("but for what was purged since that batch was made");
  batch = {};
  batch.leftovers_gone = true;
  batch.forgotten = {rows[350].id};
  store->commit(batch);
  CHECK(left_over(*store) == from_to(351, 380));
}
