#include "storage/lmdb/creation.hpp"

#include "storage/lmdb/failure.hpp"
#include "storage/lmdb/files.hpp"
#include "storage/lmdb/transactions.hpp"
#include "storage/log/identity.hpp"

#include <bobbin/error.hpp>

#include <lmdb.h>
#include <sodium.h>

#include <system_error>

namespace bobbin::storage {

namespace {

constexpr const char* unfinished_name = "creating.tmp";
constexpr std::size_t empty_map_bytes = 1 << 20;

void check(int result, const char* doing, const std::filesystem::path& path) {
  if (result != MDB_SUCCESS) throw_failure(result, doing, path);
}

Id128 random_id() {
  if (sodium_init() < 0) throw InvalidArgument("the system gives no random numbers, which a new log needs");
  Id128 id;
  randombytes_buf(id.bytes.data(), id.bytes.size());
  return id;
}

Databases create_databases(MDB_env* environment, const std::filesystem::path& path) {
  MDB_txn* transaction = nullptr;
  Databases databases{};
  check(mdb_txn_begin(environment, nullptr, 0, &transaction), "creating the log in", path);
  for (std::size_t i = 0; i < table_count; ++i) {
    const auto result = mdb_dbi_open(transaction, table_names[i], MDB_CREATE, &databases[i]);
    if (result == MDB_SUCCESS) continue;
    mdb_txn_abort(transaction);
    throw_failure(result, "creating the log in", path);
  }
  check(mdb_txn_commit(transaction), "creating the log in", path);
  return databases;
}

void build(MDB_env* environment, const std::filesystem::path& path) {
  check(mdb_env_set_maxdbs(environment, table_count), "creating the log in", path);
  check(mdb_env_set_mapsize(environment, empty_map_bytes), "creating the log in", path);
  check(mdb_env_open(environment, path.c_str(), MDB_NOTLS, 0600), "creating the log in", path);
  const auto databases = create_databases(environment, path);
  try {
    LmdbWriter writer(environment, databases);
    write_identity(writer, {format_version, random_id(), random_id()});
    writer.commit();
  } catch (const LmdbFailure& failure) {
    throw_failure(failure.number(), "creating the log in", path);
  }
  if (const auto result = mdb_env_sync(environment, 1); result != MDB_SUCCESS) throw_sync_failure(result, path);
}

}  // namespace

bool remove_unfinished(const std::filesystem::path& directory) {
  std::error_code error;
  const auto removed = std::filesystem::remove_all(directory / unfinished_name, error);
  if (error) throw_failure(error.value(), "removing an unfinished creation in", directory);
  return removed != 0;
}

void create_log(const std::filesystem::path& directory) {
  const auto aside = directory / unfinished_name;
  std::error_code error;
  if (!std::filesystem::create_directory(aside, error)) throw_failure(error.value(), "creating", aside);
  MDB_env* environment = nullptr;
  check(mdb_env_create(&environment), "creating the log in", aside);
  const std::unique_ptr<MDB_env, void (*)(MDB_env*)> closer(environment, mdb_env_close);
  build(environment, aside);
  sync_to_disk(aside);
  std::filesystem::rename(aside / data_file_name, directory / data_file_name, error);
  if (error) throw_failure(error.value(), "creating the log in", directory);
  sync_to_disk(directory);
  sync_to_disk(std::filesystem::absolute(directory).parent_path());
}

}  // namespace bobbin::storage
