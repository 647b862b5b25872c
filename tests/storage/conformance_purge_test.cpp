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
