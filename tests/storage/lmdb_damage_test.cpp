#include "storage/log/identity.hpp"
#include "storage/log/keys.hpp"
#include "storage/log/table.hpp"
#include "tests/storage/lmdb_fixture.hpp"

#include <bobbin/verify.hpp>

#include <doctest/doctest.h>
#include <lmdb.h>

#include <fstream>
#include <functional>

using namespace bobbin;
using namespace bobbin::test;
namespace fs = std::filesystem;

namespace {

// Opens the environment of a closed log with LMDB alone and hands over one table.
void with_table(const fs::path& log, storage::Table table, const std::function<void(MDB_txn*, MDB_dbi)>& act) {
  MDB_env* environment = nullptr;
  MDB_txn* transaction = nullptr;
  MDB_dbi database = 0;
  REQUIRE(mdb_env_create(&environment) == 0);
  REQUIRE(mdb_env_set_maxdbs(environment, 16) == 0);
  REQUIRE(mdb_env_open(environment, log.c_str(), MDB_NOTLS, 0600) == 0);
  REQUIRE(mdb_txn_begin(environment, nullptr, 0, &transaction) == 0);
  REQUIRE(mdb_dbi_open(transaction, storage::table_names[static_cast<std::size_t>(table)], 0, &database) == 0);
  act(transaction, database);
  REQUIRE(mdb_txn_commit(transaction) == 0);
  mdb_env_close(environment);
}

// Lets `change` edit a stored value.
void edit(const fs::path& log, storage::Table table, std::string_view key,
          const std::function<void(std::string&)>& change) {
  with_table(log, table, [&](MDB_txn* transaction, MDB_dbi database) {
    MDB_val stored_key{key.size(), const_cast<char*>(key.data())};
    MDB_val value{};
    REQUIRE(mdb_get(transaction, database, &stored_key, &value) == 0);
    std::string bytes(static_cast<const char*>(value.mv_data), value.mv_size);
    change(bytes);
    value = {bytes.size(), bytes.data()};
    REQUIRE(mdb_put(transaction, database, &stored_key, &value, 0) == 0);
  });
}

void overwrite(const fs::path& file, std::streamoff offset, std::string_view bytes) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekp(offset);
  stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  REQUIRE(stream.good());
}

}  // namespace

TEST_CASE("a newer format is refused with both versions") {
  const TempDirectory directory;
  const auto log = log_of_ten(directory);
  with_table(log, storage::Table::meta, [](MDB_txn* transaction, MDB_dbi database) {
    class Raw final : public storage::Writer {
     public:
      Raw(MDB_txn* transaction, MDB_dbi database) : transaction_(transaction), database_(database) {}
      storage::Cursor& cursor(storage::Table) override { throw InvalidArgument("not needed"); }
      void append(storage::Table, std::string_view, std::string_view) override {}
      void erase(storage::Table, std::string_view) override {}
      bool erase_here(storage::Table) override { return false; }
      void put(storage::Table, std::string_view key, std::string_view value) override {
        MDB_val stored_key{key.size(), const_cast<char*>(key.data())};
        MDB_val stored{value.size(), const_cast<char*>(value.data())};
        REQUIRE(mdb_put(transaction_, database_, &stored_key, &stored, 0) == 0);
      }

     private:
      MDB_txn* transaction_;
      MDB_dbi database_;
    } raw(transaction, database);
    storage::Identity identity;
    identity.version = storage::format_version + 1;
    storage::write_identity(raw, identity);
  });
  const auto error = open_error(log);
  CHECK(says(error, "unsupported_format"));
  CHECK(says(error, "format 2"));
  CHECK_THROWS_AS(open_lmdb_read_only(log), UnsupportedFormat);
}

TEST_CASE("a damaged identity, or another program's environment, is refused") {
  const TempDirectory directory;
  const auto log = log_of_ten(directory);
  edit(log, storage::Table::meta, storage::identity_key, [](std::string& bytes) { bytes[20] ^= 1; });
  CHECK(says(open_error(log), "corrupt: the identity of the log"));
  const auto other = directory.path() / "other";
  fs::create_directory(other);
  MDB_env* environment = nullptr;
  MDB_txn* transaction = nullptr;
  MDB_dbi database = 0;
  REQUIRE(mdb_env_create(&environment) == 0);
  REQUIRE(mdb_env_open(environment, other.c_str(), 0, 0600) == 0);
  REQUIRE(mdb_txn_begin(environment, nullptr, 0, &transaction) == 0);
  REQUIRE(mdb_dbi_open(transaction, nullptr, 0, &database) == 0);
  MDB_val value{8, const_cast<char*>("somebody")};
  REQUIRE(mdb_put(transaction, database, &value, &value, 0) == 0);
  REQUIRE(mdb_txn_commit(transaction) == 0);
  mdb_env_close(environment);
  CHECK(says(open_error(other), "corrupt"));
}

TEST_CASE("damage in the newest records stops the open, and names the record") {
  const TempDirectory directory;
  const auto log = log_of_ten(directory);
  const auto key = storage::log_key(9).add(std::uint64_t{0});
  edit(log, storage::Table::log, key.view(), [](std::string& bytes) { bytes[100] ^= 4; });
  CHECK(says(open_error(log), "corrupt: record 9 is damaged"));
  const auto reader = open_lmdb_read_only(log);  // the inspection tool can still look
  CHECK(verify(*reader->snapshot()).first_damage() == 9);
}

TEST_CASE("a record in another's place, a missing part and a wrong size are damage") {
  const TempDirectory directory;
  const auto log = directory.path() / "log";
  {
    const auto store = open_lmdb(log);
    store->commit(plain_turns(1, 70));
    store->commit(plain_turns(71, 1, 5000));
    store->commit(plain_turns(72, 70));
  }
  with_table(log, storage::Table::log, [](MDB_txn* transaction, MDB_dbi database) {
    const auto part = storage::log_key(71).add(std::uint64_t{1});
    MDB_val key{part.view().size(), const_cast<char*>(part.view().data())};
    REQUIRE(mdb_del(transaction, database, &key, nullptr) == 0);
  });
  const auto key = storage::log_key(5).add(std::uint64_t{0});
  edit(log, storage::Table::log, key.view(), [](std::string& bytes) { bytes.resize(bytes.size() - 8); });
  const auto store = open_lmdb(log);  // the tail is sound
  CHECK_THROWS_AS(store->snapshot()->record(71), Corrupt);
  CHECK_THROWS_AS(store->snapshot()->record(5), Corrupt);
  CHECK(store->snapshot()->record(70));
  CHECK(store->snapshot()->record(72));
}

TEST_CASE("a record of another log, in the place of the one with its number, is found by opens and by readers") {
  const TempDirectory directory;
  const auto key = storage::log_key(9).add(std::uint64_t{0});
  const auto make = [&](const char* name, std::size_t payload) {
    const auto log = directory.path() / name;
    open_lmdb(log)->commit(plain_turns(1, 10, payload));
    return log;
  };
  std::string foreign;
  edit(make("other", 50), storage::Table::log, key.view(), [&foreign](std::string& bytes) { foreign = bytes; });
  const auto log = make("log", 40);
  edit(log, storage::Table::log, key.view(), [&foreign](std::string& bytes) { bytes = foreign; });
  CHECK(says(open_error(log), "corrupt: record 9 is damaged: it does not continue"));
  const auto reader = open_lmdb_read_only(log);
  const auto snapshot = reader->snapshot();
  Lsn last = 0;
  const auto scan = [&] {
    snapshot->scan(1, [&last](Record&& record) {
      last = record.lsn;
      return true;
    });
  };
  CHECK_THROWS_AS(scan(), Corrupt);
  CHECK(last == 8);
  CHECK(verify(*snapshot).first_damage() == 9);
}

TEST_CASE("damaged rows and due times are found when read") {
  const TempDirectory directory;
  const auto log = log_of_ten(directory);
  Generator generate(3);
  auto state = generate.instance(1);
  state.status = RunStatus::running;
  state.quarantined = false;
  state.begun = false;
  state.timers.clear();
  state.activities.clear();
  state.unread.clear();
  state.begins_at = LogTime(Duration(77));
  {
    Batch batch;
    batch.instances = {state};
    open_lmdb(log)->commit(batch);
  }
  const auto row = storage::instance_key(state.id).add(std::uint64_t{0});
  edit(log, storage::Table::instances, row.view(), [](std::string& bytes) { bytes[60] ^= 1; });
  const auto due = storage::due_key({state.begins_at, state.id});
  edit(log, storage::Table::due, due.view(), [](std::string& bytes) { bytes[3] ^= 1; });
  const auto store = open_lmdb(log);
  CHECK_THROWS_AS(store->snapshot()->instance(state.id), Corrupt);
  CHECK_THROWS_AS(store->snapshot()->instances(std::nullopt, 9), Corrupt);
  CHECK_THROWS_AS(store->snapshot()->due(std::nullopt, 9), Corrupt);
}

TEST_CASE("damaged meta pages are named before LMDB believes them") {
  const TempDirectory directory;
  const auto log = log_of_ten(directory);
  const auto data = log / "data.mdb";
  const auto saved = directory.path() / "saved";
  fs::copy_file(data, saved);
  const auto with_bytes = [&](std::streamoff offset, std::string_view bytes) {
    fs::copy_file(saved, data, fs::copy_options::overwrite_existing);
    overwrite(data, offset, bytes);
    return open_error(log);
  };
  CHECK(says(with_bytes(16, "\xff"), "corrupt: meta page 0"));
  CHECK(says(with_bytes(4096 + 16, "\xff"), "corrupt: meta page 1"));
  CHECK(says(with_bytes(20, "\x02"), "unsupported_format"));
  CHECK(says(with_bytes(16, "\xbe\xef\xc0\xde"), "another byte order"));
  CHECK(says(with_bytes(12, std::string("\xde\xc0\xef\xbe\0\0\0\0", 8)), "word size"));
  // The main tree's root: of the newest state, and of the one before, which a failed commit may leave like this.
  CHECK(says(with_bytes(4096 + 16 + 24 + 48 + 40, "\xff\xff\xff"), "corrupt: meta page 1"));
  CHECK(with_bytes(16 + 24 + 48 + 40, "\xff\xff\xff").empty());
  CHECK(says(with_bytes(4096 + 144, "\x05"), "its transaction is not one before or after"));
  CHECK(says(with_bytes(4096 + 144, "\x02"), "it has the other's number"));
  CHECK(says(with_bytes(24 + 16, std::string("\x03\0\0\0", 4)), "page size"));
  fs::copy_file(saved, data, fs::copy_options::overwrite_existing);
  fs::resize_file(data, 3 * 4096);
  CHECK(says(open_error(log), "corrupt: meta page"));
  fs::resize_file(data, 0);
  CHECK(says(open_error(log), "corrupt: meta page 0"));
  fs::copy_file(saved, data, fs::copy_options::overwrite_existing);
  CHECK(open_error(log).empty());
}

TEST_CASE("every value lies at an 8-byte boundary, whatever has been written") {
  const TempDirectory directory;
  const auto log = directory.path() / "log";
  Generator generate(12);
  {
    const auto store = open_lmdb(log);
    for (Lsn lsn = 1; lsn <= 300; ++lsn) {
      Batch batch;
      batch.records.push_back(generate.record(lsn));
      for (int i = 0; i < 4; ++i) batch.instances.push_back(generate.instance(lsn));
      batch.ledgers.push_back(generate.ledger(lsn));
      batch.dead_letters.push_back(generate.dead_letter(lsn));
      batch.dedup_chunks.push_back({lsn, {DedupEntry{generate.id(), {}, 0, {}}}});
      store->commit(batch);
    }
  }
  std::size_t values = 0;
  for (std::size_t table = 0; table < storage::table_count; ++table) {
    with_table(log, static_cast<storage::Table>(table), [&values](MDB_txn* transaction, MDB_dbi database) {
      MDB_cursor* cursor = nullptr;
      MDB_val key{};
      MDB_val value{};
      REQUIRE(mdb_cursor_open(transaction, database, &cursor) == 0);
      while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
        ++values;
        REQUIRE(key.mv_size % 8 == 0);
        REQUIRE(value.mv_size % 8 == 0);
        REQUIRE(value.mv_size <= 1904);
        REQUIRE(reinterpret_cast<std::uintptr_t>(value.mv_data) % 8 == 0);
      }
      mdb_cursor_close(cursor);
    });
  }
  CHECK(values > 2000);
}
