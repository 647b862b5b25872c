// What every store promises about records and snapshots, on each of them.
#include "tests/storage/backends.hpp"
#include "tests/storage/generate.hpp"

#include <bobbin/error.hpp>

#include <doctest/doctest.h>

using namespace bobbin;
using namespace bobbin::test;

namespace {

Batch records_of(std::initializer_list<Record> records) {
  Batch batch;
  batch.records = records;
  return batch;
}

}  // namespace

TEST_CASE_TEMPLATE("a new log is empty and knows who it is", Backend, STORES) {
  Backend backend;
  Id128 log_id;
  {
    const auto store = backend.open();
    const auto info = store->info();
    CHECK(info.last_lsn == 0);
    CHECK(info.first_lsn == 1);
    CHECK(info.fold_from == 1);
    CHECK(info.log_id != Id128{});
    CHECK(info.epoch != Id128{});
    CHECK(info.log_id != info.epoch);
    log_id = info.log_id;
    const auto snapshot = store->snapshot();
    CHECK(!snapshot->record(1));
    CHECK(!snapshot->instance(Id128{}));
    CHECK(snapshot->instances(std::nullopt, 5).empty());
    CHECK(snapshot->due(std::nullopt, 5).empty());
    CHECK(snapshot->ledgers().empty());
    CHECK(snapshot->dead_letters({}, 5).empty());
    CHECK(!snapshot->schema(1));
    CHECK(snapshot->dedup_runs().empty());
    CHECK(!snapshot->find_dedup(1, Id128{}));
  }
  CHECK(backend.open()->info().log_id == log_id);
}

TEST_CASE_TEMPLATE("records of all kinds and sizes are there again after a reopen", Backend, STORES) {
  Backend backend;
  Generator generate(4);
  std::vector<std::string> written;
  {
    const auto store = backend.open();
    for (Lsn lsn = 1; lsn <= 200;) {
      Batch batch;
      for (auto count = 1 + generate.below(20); count > 0; --count, ++lsn) {
        batch.records.push_back(generate.record(lsn));
        written.push_back(show(batch.records.back()));
      }
      store->commit(batch);
    }
  }
  const auto store = backend.open();
  CHECK(store->info().last_lsn == written.size());
  const auto snapshot = store->snapshot();
  for (Lsn lsn = 1; lsn <= written.size(); ++lsn) {
    const auto record = snapshot->record(lsn);
    REQUIRE(record);
    REQUIRE(show(*record) == written[lsn - 1]);
  }
  Lsn expected = 57;
  snapshot->scan(57, [&](Record&& record) {
    REQUIRE(show(record) == written[expected - 1]);
    snapshot->record(3);  // a visitor may look elsewhere
    return ++expected <= 150;
  });
  CHECK(expected == 151);
  CHECK(!snapshot->record(written.size() + 1));
  CHECK(!snapshot->record(0));
}

TEST_CASE_TEMPLATE("sizes around the bounds of parts", Backend, STORES) {
  Backend backend;
  std::vector<std::size_t> sizes;
  for (std::size_t size = 1480; size <= 1920; ++size) sizes.push_back(size);
  for (std::size_t size = 3390; size <= 3420; ++size) sizes.push_back(size);
  sizes.push_back(2u << 20);
  {
    const auto store = backend.open();
    Batch batch;
    for (Lsn lsn = 1; lsn <= sizes.size(); ++lsn) batch.records.push_back(plain_turn(lsn, sizes[lsn - 1]));
    store->commit(batch);
  }
  const auto store = backend.open();
  const auto snapshot = store->snapshot();
  Lsn lsn = 0;
  snapshot->scan(1, [&](Record&& record) {
    REQUIRE(record.lsn == ++lsn);
    REQUIRE(show(record) == show(plain_turn(lsn, sizes[lsn - 1])));
    return true;
  });
  CHECK(lsn == sizes.size());
  for (lsn = 1; lsn <= sizes.size(); ++lsn)
    REQUIRE(show(*snapshot->record(lsn)) == show(plain_turn(lsn, sizes[lsn - 1])));
}

TEST_CASE_TEMPLATE("a snapshot sees the commits before it and none after", Backend, STORES) {
  Backend backend;
  const auto store = backend.open();
  store->commit(plain_turns(1, 3));
  const auto before = store->snapshot();
  store->commit(plain_turns(4, 3));
  CHECK(!before->record(4));
  CHECK(before->record(3));
  CHECK(store->snapshot()->record(6));
  std::size_t seen = 0;
  before->scan(1, [&seen](Record&&) { return ++seen > 0; });
  CHECK(seen == 3);
}

TEST_CASE_TEMPLATE("records that do not continue the log, and rows ahead of it, are refused whole", Backend, STORES) {
  Backend backend;
  const auto store = backend.open();
  store->commit(plain_turns(1, 3));
  CHECK_THROWS_AS(store->commit(plain_turns(3, 1)), InvalidArgument);
  CHECK_THROWS_AS(store->commit(plain_turns(5, 1)), InvalidArgument);
  CHECK_THROWS_AS(store->commit(records_of({plain_turn(4, 8), plain_turn(6, 8)})), InvalidArgument);
  Batch ahead = plain_turns(4, 1);
  ahead.ledgers.push_back({5, "o", 0, 0, 0, 0, 0, 0, 0});
  CHECK_THROWS_AS(store->commit(ahead), InvalidArgument);
  CHECK(!store->snapshot()->record(4));
  CHECK(store->snapshot()->ledgers().empty());
  store->commit(plain_turns(4, 2));
  CHECK(store->snapshot()->record(5));
}

TEST_CASE_TEMPLATE("a second store of one log is refused until the first is closed", Backend, STORES) {
  Backend backend;
  auto store = backend.open();
  CHECK_THROWS_AS(backend.open(), Locked);
  CHECK_THROWS_AS(backend.open(), Locked);
  store.reset();
  CHECK_NOTHROW(backend.open());
}

TEST_CASE_TEMPLATE("a snapshot outlives its store", Backend, STORES) {
  Backend backend;
  auto store = backend.open();
  store->commit(plain_turns(1, 3));
  auto snapshot = store->snapshot();
  store.reset();
  CHECK(show(*snapshot->record(2)) == show(plain_turn(2, 100)));
  snapshot.reset();
  CHECK(backend.open()->info().last_lsn == 3);
}

TEST_CASE("a disk in memory can be cut after any commit") {
  const auto disk = MemoryDisk::create(11);
  {
    const auto store = disk->open();
    for (Lsn lsn = 1; lsn <= 10; ++lsn) {
      Batch batch = plain_turns(lsn, 1);
      batch.ledgers.push_back({lsn, "o", lsn, lsn, 0, 0, 0, 0, 0});
      store->commit(batch);
    }
    CHECK_THROWS_AS(store->commit(plain_turns(50, 1)), InvalidArgument);
  }
  CHECK(disk->commits() == 10);
  CHECK_THROWS_AS(disk->prefix(11), InvalidArgument);
  for (std::uint64_t commits = 0; commits <= 10; ++commits) {
    const auto cut = disk->prefix(commits);
    CHECK(cut->commits() == commits);
    const auto store = cut->open();
    CHECK(store->info().last_lsn == commits);
    CHECK(store->info().log_id == disk->snapshot()->info().log_id);
    const auto ledgers = store->snapshot()->ledgers();
    CHECK(ledgers.size() == (commits == 0 ? 0 : 1));
    if (commits != 0) CHECK(ledgers[0].accepted == commits);
    store->commit(plain_turns(commits + 1, 2));
    CHECK(cut->snapshot()->info().last_lsn == commits + 2);
  }
  CHECK(disk->snapshot()->info().last_lsn == 10);
}
