// Forks, dead readers, strangers' directories and copies.
#include "tests/storage/forked.hpp"
#include "tests/storage/lmdb_fixture.hpp"
#include "tests/storage/other_process.hpp"

#include <bobbin/verify.hpp>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

using namespace bobbin;
using namespace bobbin::test;
namespace fs = std::filesystem;

namespace {

// Rewrites the same row: pages are freed by each commit, and used again when no snapshot sees them.
class Rewriter {
 public:
  explicit Rewriter(Store& store) : store_(store) {}
  void commit(int times) {
    for (; times > 0; --times) {
      Batch batch;
      for (std::uint64_t i = 0; i < 20; ++i) {
        auto ledger = generate_.ledger(1);
        ledger.orchestrator = "orchestrator " + std::to_string(i);
        batch.ledgers.push_back(ledger);
      }
      store_.commit(batch);
    }
  }

 private:
  Store& store_;
  Generator generate_{5};
};

// Runs as a user who owns nothing. Only root can become one; anybody else is one already.
std::string as_stranger(const std::function<std::string()>& act) {
  return in_child([&act]() -> std::string {
           constexpr uid_t nobody = 65'534;
           if (::geteuid() == 0 && (::setgroups(0, nullptr) != 0 || ::setgid(nobody) != 0 || ::setuid(nobody) != 0))
             return "cannot become another user";
           return act();
         })
      .said;
}

std::string record_count(const fs::path& log) {
  const auto snapshot = open_lmdb_read_only(log)->snapshot();
  return "ok " + std::to_string(verify(*snapshot).records);
}

}  // namespace

TEST_CASE("a forked child can neither commit nor read, and is told why") {
  const TempDirectory directory;
  const auto log = log_of_ten(directory);
  const auto store = open_lmdb(log);
  for (const auto& [what, act] : std::vector<std::pair<std::string, std::function<std::string()>>>{
           {"commit", [&] { return store->commit(plain_turns(11, 1)), std::string("committed"); }},
           {"snapshot", [&] { return store->snapshot()->record(1), std::string("read"); }}}) {
    CAPTURE(what);
    const auto end = in_child(act);
    CHECK(end.signal == 0);
    CHECK(says(end.said, "invalid_argument: the log in " + log.string()));
    CHECK(says(end.said, "opened by process " + std::to_string(::getpid())));
    CHECK(says(end.said, "child"));
  }
  store->commit(plain_turns(11, 10));
  CHECK(store->snapshot()->record(20));
}

TEST_CASE("what a forked child closes stays open in its parent: lock and snapshots") {
  const TempDirectory directory;
  const auto log = log_of_ten(directory);
  auto store = open_lmdb(log);
  Rewriter rewriter(*store);
  rewriter.commit(3);
  auto snapshot = store->snapshot();
  const auto end = in_child([&] {
    snapshot.reset();
    store.reset();
    return open_error(log);  // the child cannot take over, either
  });
  CHECK(end.signal == 0);
  CHECK(says(end.said, "locked: the log in " + log.string()));
  CHECK(says(end.said, "process " + std::to_string(::getpid())));
  CHECK(says(in_other_process("open", log), "locked"));
  // Had the child freed the snapshot's slot, the pages that it sees would be overwritten now.
  rewriter.commit(300);
  store->commit(plain_turns(11, 500));
  Lsn records = 0;
  snapshot->scan(1, [&records](Record&& record) { return record.lsn == ++records; });
  CHECK(records == 10);
  Generator same(5);
  for (int i = 0; i < 40; ++i) same.ledger(1);
  for (const auto& ledger : snapshot->ledgers()) CHECK(ledger.orchestrator.starts_with("orchestrator "));
  snapshot.reset();
  store.reset();
  CHECK(in_other_process("open", log) == "ok 510 510");
}

TEST_CASE("a child that outlives its parent keeps the lock, and the refusal says so") {
  const TempDirectory directory;
  const auto log = log_of_ten(directory);
  std::array<int, 2> alive{};
  REQUIRE(::pipe(alive.data()) == 0);
  const auto end = in_child([&] {
    const auto store = open_lmdb(log);
    if (::fork() == 0) {
      ::close(alive[1]);
      char byte = 0;
      // Its other end is this test: it goes when the test is done with it.
      ::_exit(::read(alive[0], &byte, 1) == 0 ? 0 : 1);
    }
    return std::to_string(::getpid());
  });
  const auto error = open_error(log);
  CAPTURE(error);
  CHECK(says(error, "locked"));
  CHECK(says(error, "process " + end.said + ", which has ended"));
  CHECK(says(error, "forked"));
  ::close(alive[1]);
  ::close(alive[0]);
}

TEST_CASE("a reader killed with its snapshot does not keep pages for ever: the file stops growing") {
  const TempDirectory directory;
  const auto log = log_of_ten(directory);
  const auto store = open_lmdb(log);
  Rewriter rewriter(*store);
  const auto size = [&log] { return fs::file_size(log / "data.mdb"); };
  rewriter.commit(600);
  const auto at_rest = size();
  rewriter.commit(600);
  CHECK(size() == at_rest);
  {
    const HoldingProcess reader(log, "hold-reading");
    rewriter.commit(200);
  }
  CHECK(size() > at_rest);
  rewriter.commit(300);  // dead readers are looked for every 256 commits
  const auto plateau = size();
  rewriter.commit(1'000);
  CHECK(size() == plateau);
  CHECK(plateau < 4 * at_rest + (8u << 20));
}

TEST_CASE("a map that is too small for its log: it opens, is full, and goes on with a larger one") {
  const TempDirectory directory;
  const auto log = directory.path() / "log";
  {
    const auto store = open_lmdb(log);
    for (Lsn first = 1; first < 20'000; first += 1'000) store->commit(plain_turns(first, 1'000, 300));
  }
  LmdbOptions small;
  small.map_size_bytes = 1 << 20;
  {
    const auto store = open_lmdb(log, small);
    CHECK(store->info().last_lsn == 20'000);
    CHECK(store->snapshot()->record(1));
    bool full = false;
    for (Lsn first = 20'001; first < 60'000 && !full; first += 1'000) {
      try {
        store->commit(plain_turns(first, 1'000, 300));
      } catch (const StorageFull& error) {
        full = true;
        CHECK(says(error.what(), "larger map"));
      }
    }
    CHECK(full);
  }
  const auto store = open_lmdb(log);
  const auto last = store->info().last_lsn;
  store->commit(plain_turns(last + 1, 1'000, 300));
  CHECK(store->snapshot()->record(last + 1'000));
}

TEST_CASE("an impossible map is refused with the reason") {
  const TempDirectory directory;
  for (const std::uint64_t bytes : {std::uint64_t{0}, std::uint64_t{4096}, ~std::uint64_t{0}}) {
    LmdbOptions options;
    options.map_size_bytes = bytes;
    const auto error = open_error(directory.path() / "log", options);
    CHECK(says(error, "invalid_argument: option map_size_bytes is " + std::to_string(bytes)));
    CHECK(!fs::exists(directory.path() / "log"));
  }
}

TEST_CASE("a directory or file without rights is a clear error, whatever it is that is forbidden") {
  const TempDirectory directory;
  const auto log = log_of_ten(directory);
  const auto both = [&](const std::string& expected) {
    for (const bool writing : {true, false}) {
      const auto error = as_stranger([&] { return writing ? open_error(log) : record_count(log); });
      CAPTURE(error);
      CHECK(says(error, expected));
      CHECK(says(error, "Permission denied"));
      CHECK(says(error, "permissions"));
    }
  };
  both("invalid_argument: ");  // the test's own directory is closed to others
  fs::permissions(directory.path(), fs::perms(0755));
  both("invalid_argument: ");
  fs::permissions(log, fs::perms(0755));
  both("invalid_argument: ");
  for (const auto& file : fs::directory_iterator(log)) fs::permissions(file.path(), fs::perms(0644));
  both("invalid_argument: ");  // neither the owner's lock nor a reader's slot can be taken
  fs::permissions(log / "lock.mdb", fs::perms(0666));
  CHECK(as_stranger([&] { return record_count(log); }) == "ok 10");
  const auto error = as_stranger([&] { return open_error(directory.path() / "new"); });
  CHECK(says(error, "invalid_argument: making the directory"));
}

TEST_CASE("a process that may open no more files is told so, and what to do") {
  const TempDirectory directory;
  const auto log = log_of_ten(directory);
  const auto end = in_child([&] {
    const rlimit few{8, 8};
    if (::setrlimit(RLIMIT_NOFILE, &few) != 0) return std::string("no limit");
    std::vector<int> taken;
    for (int file = ::open("/dev/null", O_RDONLY); file >= 0; file = ::open("/dev/null", O_RDONLY))
      taken.push_back(file);
    try {
      open_lmdb(log);
    } catch (const Error& error) {
      for (const auto file : taken) ::close(file);  // UBSan needs one to look at an object
      return std::string(to_string(error.code())) + ": " + error.what();
    }
    return std::string("opened");
  });
  CHECK(end.signal == 0);
  CAPTURE(end.said);
  CHECK(says(end.said, "overloaded: "));
  CHECK(says(end.said, "Too many open files"));
  CHECK(says(end.said, "limits"));
  CHECK(open_error(log).empty());
}

TEST_CASE("a copied log opens, with or without the files beside it") {
  const TempDirectory directory;
  const auto log = log_of_ten(directory);
  const auto whole = directory.path() / "whole";
  const auto bare = directory.path() / "bare";
  fs::copy(log, whole);
  fs::create_directory(bare);
  fs::copy_file(log / "data.mdb", bare / "data.mdb");
  const auto original = open_lmdb(log);  // all three at once
  for (const auto& copy : {whole, bare}) {
    const auto store = open_lmdb(copy);
    CHECK(store->info().log_id == original->info().log_id);
    store->commit(plain_turns(11, 5));
    CHECK(store->snapshot()->record(15));
  }
  CHECK(original->info().last_lsn == 10);
  CHECK(!original->snapshot()->record(11));
}
