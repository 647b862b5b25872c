// What every store promises about rows, on each of them.
#include "tests/storage/backends.hpp"
#include "tests/storage/generate.hpp"

#include <bobbin/error.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

using namespace bobbin;
using namespace bobbin::test;

namespace {

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
  CHECK(all_due(*store) ==
        std::vector<DueEntry>{{LogTime::min(), c.id}, {at(-5), b.id}, {at(100), a.id}, {LogTime::max(), d.id}});
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
    Batch batch;
    batch.records = {record};
    store->commit(batch);
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
  for (int i = 0; i < 8000; ++i)
    entries.push_back({generate.id(), generate.position(), generate.number(), generate.time()});
  std::ranges::sort(entries, {}, &DedupEntry::hash);
  const auto store = backend.open();
  store->commit(plain_turns(1, 2));
  for (std::size_t i = 0; i < entries.size(); i += 1000) {
    Batch batch;
    batch.dedup_chunks.push_back(
        {7, {entries.begin() + static_cast<long>(i), entries.begin() + static_cast<long>(i) + 1000}});
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
    std::vector<Id128> hashes;
    for (std::optional<Id128> after;;) {
      const auto some = snapshot->dedup_hashes(7, after, 777);
      if (some.empty()) break;
      hashes.insert(hashes.end(), some.begin(), some.end());
      after = some.back();
    }
    CHECK(std::ranges::equal(hashes, entries, {}, {}, &DedupEntry::hash));
    CHECK(snapshot->dedup_hashes(8, std::nullopt, 1'000).size() == 8);
    CHECK(snapshot->dedup_hashes(9, std::nullopt, 1'000).empty());
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
    batch.rows_from = 8;
    store->commit(batch);
    batch.fold_from = batch.rows_from = 0;
    batch.log_state = LogState{9, at(55), Elapsed(66), 8, Id128{{1, 2, 3}}};
    store->commit(batch);
  }
  const auto info = backend.open()->info();
  CHECK(info.fold_from == 6);
  CHECK(info.rows_from == 8);
  CHECK(info.state.lsn == 9);
  CHECK(info.state.log_time == at(55));
  CHECK(info.state.elapsed == Elapsed(66));
  CHECK(info.state.opens == 8);
  CHECK(info.state.epoch == Id128{{1, 2, 3}});
}
