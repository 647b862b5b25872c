#include <doctest/doctest.h>
#include <fcntl.h>
#include <lmdb.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bobbin/error.hpp>
#include <bobbin/verify.hpp>
#include <fstream>
#include <functional>

#include "storage/log/identity.hpp"
#include "storage/log/keys.hpp"
#include "storage/log/table.hpp"
#include "tests/storage/backends.hpp"
#include "tests/storage/generate.hpp"
#include "tests/storage/other_process.hpp"

using namespace bobbin;
using namespace bobbin::test;
namespace fs = std::filesystem;

namespace {

Batch plain_turns(Lsn first, std::size_t count, std::size_t payload_bytes = 100) {
  Batch batch;
  for (Lsn lsn = first; lsn < first + count; ++lsn) batch.records.push_back(plain_turn(lsn, payload_bytes));
  return batch;
}

// A closed log of ten records.
fs::path log_of_ten(const TempDirectory& directory) {
  const auto log = directory.path() / "log";
  open_lmdb(log)->commit(plain_turns(1, 10));
  return log;
}

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
void edit(const fs::path& log, storage::Table table, std::string_view key, const std::function<void(std::string&)>& change) {
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

// The error that opening gives, as "code: message"; empty when it opens.
std::string open_error(const fs::path& log, const LmdbOptions& options = {}) {
  try {
    open_lmdb(log, options);
    return {};
  } catch (const Error& error) {
    return std::string(to_string(error.code())) + ": " + error.what();
  }
}

bool says(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("another process is told who has the log, and may read it") {
  const TempDirectory directory;
  const auto log = directory.path() / "log";
  auto store = open_lmdb(log);
  store->commit(plain_turns(1, 10));
  const auto refused = in_other_process("open", log);
  CHECK(says(refused, "locked: "));
  CHECK(says(refused, "process " + std::to_string(::getpid())));
  CHECK(in_other_process("read", log) == "ok 10 10");
  store->commit(plain_turns(11, 10));
  CHECK(in_other_process("read", log) == "ok 20 20");
  store.reset();
  CHECK(in_other_process("open", log) == "ok 20 20");
  CHECK(in_other_process("read", log) == "ok 20 20");
}

TEST_CASE("the lock goes with a killed process, and so does its reader's slot") {
  const TempDirectory directory;
  const auto log = log_of_ten(directory);
  {
    const HoldingProcess holder(log);
    const auto error = open_error(log);
    CHECK(says(error, "locked"));
    CHECK(says(error, "process " + std::to_string(holder.pid())));
    // Beside a writer in another process this one may read.
    const auto reader = open_lmdb_read_only(log);
    CHECK(reader->snapshot()->info().last_lsn == 10);
  }
  CHECK(open_error(log).empty());
}

TEST_CASE("one process has a log open once, by whichever name") {
  const TempDirectory directory;
  const auto log = log_of_ten(directory);
  fs::create_directory_symlink(log, directory.path() / "link");
  auto store = open_lmdb(log);
  CHECK_THROWS_AS(open_lmdb(directory.path() / "link"), Locked);
  CHECK_THROWS_AS(open_lmdb_read_only(log), Locked);
  CHECK_THROWS_AS(open_lmdb_read_only(directory.path() / "link"), Locked);
  // A refused second open must not have cost the first its locks.
  CHECK(says(in_other_process("open", log), "locked"));
  auto snapshot = store->snapshot();
  store.reset();
  CHECK_THROWS_AS(open_lmdb(log), Locked);
  snapshot.reset();
  CHECK_NOTHROW(open_lmdb(log));
}

TEST_CASE("a reader sees each moment anew and writes nothing") {
  const TempDirectory directory;
  const auto log = log_of_ten(directory);
  struct stat before {};
  struct stat after {};
  REQUIRE(::stat((log / "data.mdb").c_str(), &before) == 0);
  {
    const auto reader = open_lmdb_read_only(log);
    const auto snapshot = reader->snapshot();
    CHECK(snapshot->info().last_lsn == 10);
    CHECK(verify(*snapshot).records == 10);
  }
  REQUIRE(::stat((log / "data.mdb").c_str(), &after) == 0);
  CHECK(before.st_mtim.tv_sec == after.st_mtim.tv_sec);
  CHECK(before.st_mtim.tv_nsec == after.st_mtim.tv_nsec);
}

TEST_CASE("a missing log, directory or permission is a clear error") {
  const TempDirectory directory;
  LmdbOptions no_create;
  no_create.create = false;
  CHECK(says(open_error(directory.path() / "a" / "b"), "not_found: making the directory"));
  CHECK(says(open_error(directory.path() / "none", no_create), "not_found"));
  CHECK(!fs::exists(directory.path() / "none"));
  CHECK(says(open_error(directory.path(), no_create), "not_found: there is no log in"));
  CHECK_THROWS_AS(open_lmdb_read_only(directory.path() / "none"), NotFound);
  CHECK_THROWS_AS(open_lmdb_read_only(directory.path()), NotFound);
  const auto file = directory.path() / "file";
  std::ofstream(file) << "not a directory";
  CHECK(says(open_error(file), "not_found"));
  CHECK(says(open_error(fs::path("/proc/bobbin")), "/proc/bobbin"));
  CHECK(open_error(directory.path()).empty());
}

TEST_CASE("what a torn creation has left is cleared, and the log is made") {
  const TempDirectory directory;
  const auto log = directory.path() / "log";
  fs::create_directories(log / "creating.tmp");
  std::ofstream(log / "creating.tmp" / "data.mdb") << "half a page";
  std::ofstream(log / "creating.tmp" / "lock.mdb") << "x";
  std::string said;
  LmdbOptions options;
  options.log_line = [&said](std::string_view line) { said += std::string(line) + "\n"; };
  CHECK(open_error(log, options).empty());
  CHECK(says(said, "unfinished creation"));
  CHECK(says(said, "created a log"));
  CHECK(!fs::exists(log / "creating.tmp"));
  said.clear();
  CHECK(open_error(log, options).empty());
  CHECK(said.empty());
}

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

TEST_CASE("damaged rows and due times are found when read") {
  const TempDirectory directory;
  const auto log = log_of_ten(directory);
  Generator generate(3);
  auto state = generate.instance(1);
  state.status = RunStatus::running;
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
  CHECK(says(with_bytes(16 + 24 + 48 + 40, "\xff\xff\xff"), "corrupt: meta page 0"));  // the main tree's root
  CHECK(says(with_bytes(24 + 16, std::string("\x03\0\0\0", 4)), "page size"));
  fs::copy_file(saved, data, fs::copy_options::overwrite_existing);
  fs::resize_file(data, 3 * 4096);
  CHECK(says(open_error(log), "corrupt: meta page"));
  fs::resize_file(data, 0);
  CHECK(says(open_error(log), "corrupt: meta page 0"));
  fs::copy_file(saved, data, fs::copy_options::overwrite_existing);
  CHECK(open_error(log).empty());
}

TEST_CASE("a full map refuses the batch whole, and the log goes on with a larger one") {
  const TempDirectory directory;
  const auto log = directory.path() / "log";
  LmdbOptions options;
  options.map_size_bytes = 1 << 20;
  Lsn last = 0;
  {
    const auto store = open_lmdb(log, options);
    bool full = false;
    for (; !full; last += full ? 0 : 50) {
      try {
        store->commit(plain_turns(last + 1, 50, 300));
      } catch (const StorageFull& error) {
        full = true;
        CHECK(says(error.what(), "nothing was written"));
      }
      REQUIRE(last < 10'000);
    }
    CHECK(store->snapshot()->record(last));
    CHECK(!store->snapshot()->record(last + 1));
    CHECK_THROWS_AS(store->commit(plain_turns(last + 1, 50, 300)), StorageFull);
  }
  options.map_size_bytes = 8 << 20;
  const auto store = open_lmdb(log, options);
  CHECK(store->info().last_lsn == last);
  store->commit(plain_turns(last + 1, 50, 300));
  CHECK(store->snapshot()->record(last + 50));
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

TEST_CASE("snapshots are many, short and reused") {
  const TempDirectory directory;
  const auto log = log_of_ten(directory);
  const auto store = open_lmdb(log);
  for (int i = 0; i < 1000; ++i) REQUIRE(store->snapshot()->record(5));
  std::vector<std::unique_ptr<Snapshot>> open;
  for (int i = 0; i < 200; ++i) open.push_back(store->snapshot());
  for (const auto& snapshot : open) REQUIRE(snapshot->record(10));
}
