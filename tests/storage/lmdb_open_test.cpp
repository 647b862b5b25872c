#include "tests/storage/lmdb_fixture.hpp"
#include "tests/storage/other_process.hpp"

#include <bobbin/verify.hpp>

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

using namespace bobbin;
using namespace bobbin::test;
namespace fs = std::filesystem;

namespace {

// While it lives, no file of this process grows beyond `bytes`: writes behind that fail.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(std::uintmax_t bytes) : handler_(::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{static_cast<rlim_t>(bytes), before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  sighandler_t handler_;
  rlimit before_{};
};

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

TEST_CASE("S26: the disk is asked again before what is reserved beyond the end is just enough, and else left alone") {
  const TempDirectory directory;
  const auto store = open_lmdb(directory.path() / "log");
  const auto reserved = store->reserve(0);
  if (reserved >= std::uint64_t{1} << 40) {
    MESSAGE("the file system cannot allocate ahead");
    return;
  }
  const auto most_of = [&store](std::uint64_t bytes) {
    std::uint64_t most = 0;
    for (int call = 0; call < 32; ++call) {
      const auto room = store->reserve(bytes);
      CHECK(room >= bytes);
      most = std::max(most, room);
    }
    return most;
  };
  CHECK(most_of(0) == reserved);
  CHECK(most_of(reserved / 2) == reserved);
  const auto grown = most_of(reserved - 1'000);
  CHECK(grown > reserved + 100'000);
  CHECK(most_of(reserved - 1'000) == grown);
}

TEST_CASE("the chunks of dedup runs fill the pages that they are written to") {
  const TempDirectory directory;
  const auto log = directory.path() / "log";
  const auto store = open_lmdb(log);
  Generator generate(9);
  std::size_t bytes = 0;
  for (std::uint64_t run = 1; run <= 5; ++run) {
    std::vector<DedupEntry> entries(4'000);
    for (auto& entry : entries) entry.hash = generate.id();
    std::ranges::sort(entries, {}, &DedupEntry::hash);
    for (auto from = entries.begin(); from != entries.end();) {
      const auto to = from + std::min<std::ptrdiff_t>(500, entries.end() - from);
      Batch batch;
      batch.dedup_chunks.push_back({run, {from, to}});
      store->commit(batch);
      bytes += 48 * static_cast<std::size_t>(to - from);
      from = to;
    }
  }
  CHECK(fs::file_size(log / "data.mdb") < bytes + bytes / 2);
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

TEST_CASE("after a commit that failed in writing, the outcome is unknown and none follows") {
  const TempDirectory directory;
  const auto log = log_of_ten(directory);
  {
    const auto store = open_lmdb(log);
    {
      const FileSizeLimit limit(fs::file_size(log / "data.mdb"));
      CHECK_THROWS_AS(store->commit(plain_turns(11, 500)), OutcomeUnknown);
    }
    CHECK_THROWS_AS(store->commit(plain_turns(11, 1)), Closed);
    CHECK(store->snapshot()->record(10));
  }
  const auto store = open_lmdb(log);
  CHECK(store->info().last_lsn == 10);
  store->commit(plain_turns(11, 500));
  CHECK(store->snapshot()->record(510));
}
