// What every store promises, on each of them.
#include <doctest/doctest.h>

#include <algorithm>
#include <bobbin/error.hpp>
#include <map>

#include "tests/storage/backends.hpp"
#include "tests/storage/generate.hpp"

using namespace bobbin;
using namespace bobbin::test;

#define STORES LmdbBackend, MemoryBackend

namespace {

Batch records_of(std::initializer_list<Record> records) {
  Batch batch;
  batch.records = records;
  return batch;
}

Batch plain_turns(Lsn first, std::size_t count, std::size_t payload_bytes = 100) {
  Batch batch;
  for (Lsn lsn = first; lsn < first + count; ++lsn) batch.records.push_back(plain_turn(lsn, payload_bytes));
  return batch;
}

InstanceState live_instance(Generator& generate, LogTime due) {
  InstanceState state;
  state.id = generate.id();
  state.name = {"o", "k"};
  state.status = RunStatus::running;
  state.begun = true;
  state.timers = {{1, due}};
  return state;
}

std::vector<DueEntry> all_due(Store& store) { return store.snapshot()->due(std::nullopt, 1000); }

LogTime at(std::int64_t ticks) { return LogTime(Duration(ticks)); }

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
  for (lsn = 1; lsn <= sizes.size(); ++lsn) REQUIRE(show(*snapshot->record(lsn)) == show(plain_turn(lsn, sizes[lsn - 1])));
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

TEST_CASE_TEMPLATE("instance rows are replaced whole, whatever their size, and listed by id", Backend, STORES) {
  Backend backend;
  Generator generate(5);
  std::map<Id128, InstanceState> model;
  {
    const auto store = backend.open();
    store->commit(plain_turns(1, 1));
    for (int round = 0; round < 100; ++round) {
      Batch batch;
      for (int i = 0; i < 5; ++i) {
        auto state = generate.instance(1);
        state.unread.resize(generate.below(4) == 0 ? 150 : generate.below(3));
        if (!model.empty() && generate.coin())
          state.id = std::next(model.begin(), static_cast<long>(generate.below(model.size())))->first;
        model[state.id] = state;
        batch.instances.push_back(std::move(state));
      }
      store->commit(batch);
    }
  }
  const auto store = backend.open();
  const auto snapshot = store->snapshot();
  for (const auto& [id, state] : model) {
    const auto row = snapshot->instance(id);
    REQUIRE(row);
    REQUIRE(show(*row) == show(state));
  }
  std::optional<InstanceId> after;
  auto expected = model.begin();
  for (auto rows = snapshot->instances(after, 7); !rows.empty(); rows = snapshot->instances(after, 7)) {
    for (const auto& row : rows) REQUIRE(show(row) == show((expected++)->second));
    after = rows.back().id;
  }
  CHECK(expected == model.end());
  std::vector<DueEntry> due;
  for (const auto& [id, state] : model)
    if (const auto time = next_due(state)) due.push_back({*time, id});
  std::ranges::sort(due);
  CHECK(snapshot->due(std::nullopt, 10'000) == due);
}

TEST_CASE_TEMPLATE("due times follow their rows, earliest first, before 1970 too", Backend, STORES) {
  Backend backend;
  Generator generate(6);
  const auto store = backend.open();
  store->commit(plain_turns(1, 1));
  auto a = live_instance(generate, at(100));
  auto b = live_instance(generate, at(-5));
  auto c = live_instance(generate, LogTime::min());
  auto d = live_instance(generate, LogTime::max());
  Batch batch;
  batch.instances = {a, b, c, d};
  store->commit(batch);
  CHECK(all_due(*store) == std::vector<DueEntry>{{LogTime::min(), c.id}, {at(-5), b.id}, {at(100), a.id}, {LogTime::max(), d.id}});
  const auto snapshot = store->snapshot();
  CHECK(snapshot->due(std::nullopt, 2).size() == 2);
  CHECK(snapshot->due(DueEntry{at(-5), b.id}, 1) == std::vector<DueEntry>{{at(100), a.id}});
  CHECK(snapshot->due(DueEntry{at(-4), Id128{}}, 1) == std::vector<DueEntry>{{at(100), a.id}});
  a.timers[0].due = at(-6);
  b.timers.clear();
  c.status = RunStatus::completed;
  batch.instances = {a, b, c, d};
  store->commit(batch);
  CHECK(all_due(*store) == std::vector<DueEntry>{{at(-6), a.id}, {LogTime::max(), d.id}});
}

TEST_CASE_TEMPLATE("ledgers, dead letters and schemas", Backend, STORES) {
  Backend backend;
  Generator generate(7);
  std::map<std::string, Ledger> ledgers;
  std::map<Position, DeadLetter> letters;
  Schema schema = generate.schema();
  {
    const auto store = backend.open();
    store->commit(plain_turns(1, 4));
    for (int round = 0; round < 20; ++round) {
      Batch batch;
      batch.ledgers.push_back(generate.ledger(4));
      batch.ledgers.back().orchestrator = std::string(generate.below(12), 'a') + std::string(generate.below(3), '\0');
      ledgers[batch.ledgers.back().orchestrator] = batch.ledgers.back();
      batch.dead_letters.push_back(generate.dead_letter(4));
      batch.dead_letters.back().position = {generate.below(9), static_cast<std::uint32_t>(generate.below(3))};
      letters[batch.dead_letters.back().position] = batch.dead_letters.back();
      store->commit(batch);
    }
    auto record = plain_turn(5, 1);
    record.body = SchemaBody{schema};
    store->commit(records_of({record}));
  }
  const auto snapshot = backend.open()->snapshot();
  const auto rows = snapshot->ledgers();
  REQUIRE(rows.size() == ledgers.size());
  auto ledger = ledgers.begin();
  for (const auto& row : rows) CHECK(show(row) == show((ledger++)->second));
  std::size_t behind_4_1 = 0;
  for (const auto& [position, letter] : letters) {
    CHECK(show(*snapshot->dead_letter(position)) == show(letter));
    if (position > Position{4, 1}) ++behind_4_1;
  }
  CHECK(snapshot->dead_letters({4, 1}, 1000).size() == behind_4_1);
  CHECK(snapshot->dead_letters({}, 3).size() == 3);
  CHECK(!snapshot->dead_letter({77, 0}));
  CHECK(snapshot->schema(schema.hash) == schema);
  CHECK(!snapshot->schema(schema.hash + 1));
}

TEST_CASE_TEMPLATE("dedup runs are found by hash, and gone when dropped", Backend, STORES) {
  Backend backend;
  Generator generate(8);
  std::vector<DedupEntry> entries;
  for (int i = 0; i < 8000; ++i) entries.push_back({generate.id(), generate.position(), generate.number(), generate.time()});
  std::ranges::sort(entries, {}, &DedupEntry::hash);
  const auto store = backend.open();
  store->commit(plain_turns(1, 2));
  for (std::size_t i = 0; i < entries.size(); i += 1000) {
    Batch batch;
    batch.dedup_chunks.push_back({7, {entries.begin() + static_cast<long>(i), entries.begin() + static_cast<long>(i) + 1000}});
    batch.dedup_chunks.push_back({8, {entries[i]}});
    store->commit(batch);
  }
  Batch batch;
  batch.dedup_runs = {{7, entries.size(), 2, Elapsed(5)}, {8, 8, 2, Elapsed(6)}};
  store->commit(batch);
  {
    const auto snapshot = store->snapshot();
    REQUIRE(snapshot->dedup_runs().size() == 2);
    CHECK(snapshot->dedup_runs()[0].entries == entries.size());
    for (const auto& entry : entries) {
      const auto found = snapshot->find_dedup(7, entry.hash);
      REQUIRE(found);
      REQUIRE(show(*found) == show(entry));
    }
    CHECK(snapshot->find_dedup(8, entries[1000].hash));
    CHECK(!snapshot->find_dedup(8, entries[1001].hash));
    CHECK(!snapshot->find_dedup(9, entries[0].hash));
    CHECK(!snapshot->find_dedup(6, entries[0].hash));
    for (int i = 0; i < 1000; ++i) REQUIRE(!snapshot->find_dedup(7, generate.id()));
  }
  Batch drop;
  drop.dropped_dedup_runs = {7};
  store->commit(drop);
  CHECK(store->snapshot()->dedup_runs().size() == 1);
  for (int i = 0; i < 10; ++i) store->commit(Batch{});
  CHECK(!store->snapshot()->find_dedup(7, entries[0].hash));
  CHECK(!store->snapshot()->find_dedup(7, entries.back().hash));
  CHECK(store->snapshot()->find_dedup(8, entries[0].hash));
  Batch unsorted;
  unsorted.dedup_chunks.push_back({9, {entries[1], entries[0]}});
  CHECK_THROWS_AS(store->commit(unsorted), InvalidArgument);
}

TEST_CASE_TEMPLATE("the checkpoint's state and where folding begins", Backend, STORES) {
  Backend backend;
  {
    const auto store = backend.open();
    store->commit(plain_turns(1, 9));
    Batch batch;
    batch.log_state = LogState{9, at(5), Elapsed(6), 7, Id128{{1, 2, 3}}};
    batch.fold_from = 4;
    store->commit(batch);
    batch.log_state.reset();
    batch.fold_from = 6;
    store->commit(batch);
    batch.fold_from = 0;
    batch.log_state = LogState{9, at(55), Elapsed(66), 8, Id128{{1, 2, 3}}};
    store->commit(batch);
  }
  const auto info = backend.open()->info();
  CHECK(info.fold_from == 6);
  CHECK(info.state.lsn == 9);
  CHECK(info.state.log_time == at(55));
  CHECK(info.state.elapsed == Elapsed(66));
  CHECK(info.state.opens == 8);
  CHECK(info.state.epoch == Id128{{1, 2, 3}});
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
