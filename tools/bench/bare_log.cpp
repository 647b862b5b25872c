#include "tools/bench/bare_log.hpp"

#include <lmdb.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>

namespace bobbin::bench {

namespace {

void check(int code, const char* what) {
  if (code != 0) throw std::runtime_error(std::string(what) + ": " + mdb_strerror(code));
}

using Environment = std::unique_ptr<MDB_env, decltype(&mdb_env_close)>;

Environment open_environment(const std::filesystem::path& directory, unsigned flags) {
  MDB_env* raw = nullptr;
  check(mdb_env_create(&raw), "mdb_env_create");
  Environment env(raw, mdb_env_close);
  check(mdb_env_set_maxdbs(raw, 16), "mdb_env_set_maxdbs");
  check(mdb_env_set_mapsize(raw, std::size_t{256} << 30), "mdb_env_set_mapsize");
  check(mdb_env_open(raw, directory.c_str(), flags, 0644), "mdb_env_open");
  return env;
}

std::uint64_t lsn_of(const MDB_val& key) {
  std::uint64_t big_endian = 0;
  std::memcpy(&big_endian, key.mv_data, sizeof big_endian);
  return __builtin_bswap64(big_endian);
}

struct BareKey {
  std::uint64_t high;
  std::uint64_t low;
};

}  // namespace

std::filesystem::path fresh_directory(const std::filesystem::path& directory) {
  std::filesystem::remove_all(directory);
  std::filesystem::create_directories(directory);
  return directory;
}

std::vector<CommitShape> shapes_of(const std::filesystem::path& directory, std::uint64_t first_lsn,
                                   const std::vector<std::uint64_t>& last_lsns) {
  const auto env = open_environment(directory, MDB_RDONLY | MDB_NOTLS);
  MDB_txn* txn = nullptr;
  check(mdb_txn_begin(env.get(), nullptr, MDB_RDONLY, &txn), "mdb_txn_begin");
  MDB_dbi dbi = 0;
  check(mdb_dbi_open(txn, "log_____", 0, &dbi), "mdb_dbi_open");
  MDB_cursor* cursor = nullptr;
  check(mdb_cursor_open(txn, dbi, &cursor), "mdb_cursor_open");

  std::vector<CommitShape> shapes(last_lsns.size());
  std::size_t commit = 0;
  std::uint64_t last = 0;
  BareKey first{__builtin_bswap64(first_lsn), 0};
  MDB_val key{sizeof first, &first};
  MDB_val value{};
  for (int code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE); code == 0;
       code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
    const auto lsn = lsn_of(key);
    while (commit < last_lsns.size() && lsn > last_lsns[commit]) ++commit;
    if (commit == last_lsns.size()) break;
    shapes[commit].entry_bytes.push_back(value.mv_size);
    shapes[commit].records += lsn != last;
    last = lsn;
  }
  mdb_cursor_close(cursor);
  mdb_txn_abort(txn);
  return shapes;
}

BareRun append_bare(const std::filesystem::path& directory, const std::vector<CommitShape>& shapes,
                    double seconds_max) {
  const auto env = open_environment(fresh_directory(directory), MDB_NOTLS);
  std::vector<char> bytes(64u << 10, 'x');
  MDB_dbi dbi = 0;
  BareRun run;
  std::uint64_t number = 0;
  const auto begin = std::chrono::steady_clock::now();
  for (const auto& shape : shapes) {
    const auto commit_begin = std::chrono::steady_clock::now();
    MDB_txn* txn = nullptr;
    check(mdb_txn_begin(env.get(), nullptr, 0, &txn), "mdb_txn_begin");
    if (dbi == 0) check(mdb_dbi_open(txn, "log_____", MDB_CREATE, &dbi), "mdb_dbi_open");
    for (const auto size : shape.entry_bytes) {
      BareKey bare{__builtin_bswap64(++number), 0};
      MDB_val key{sizeof bare, &bare};
      MDB_val value{size, bytes.data()};
      check(mdb_put(txn, dbi, &key, &value, MDB_APPEND), "mdb_put");
    }
    check(mdb_txn_commit(txn), "mdb_txn_commit");
    const auto now = std::chrono::steady_clock::now();
    run.records += shape.records;
    run.commit_us.push_back(std::chrono::duration<double, std::micro>(now - commit_begin).count());
    run.seconds = std::chrono::duration<double>(now - begin).count();
    if (run.seconds > seconds_max) break;
  }
  return run;
}

double quantile(std::vector<double> values, double q) {
  if (values.empty()) return 0;
  const auto at = static_cast<std::size_t>(q * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at), values.end());
  return values[at];
}

double median(std::vector<double> values) { return quantile(std::move(values), 0.5); }

}  // namespace bobbin::bench
