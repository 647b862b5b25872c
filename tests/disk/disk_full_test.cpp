// S26 on real file systems: they fill and empty under traffic, and processes are killed on a full disk.
#include "tests/disk/collector.hpp"
#include "tests/disk/killed_host.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tools/drill/small_disk.hpp"

#include <bobbin/verify.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <random>

using namespace bobbin;
using namespace bobbin::tests;
using namespace std::chrono_literals;
using bobbin::drill::SmallDisk;
using bobbin::testing::TemporaryDirectory;

namespace {

constexpr std::uint64_t mebibyte = 1 << 20;

struct Lines {
  mutable std::mutex mutex;
  std::string all;
  void add(std::string_view line) {
    const std::lock_guard lock(mutex);
    all.append(line).append("\n");
  }
  std::size_t count(const std::string& part) const {
    const std::lock_guard lock(mutex);
    std::size_t found = 0;
    for (auto at = all.find(part); at != std::string::npos; at = all.find(part, at + 1)) ++found;
    return found;
  }
};

std::unique_ptr<Engine> open(const std::filesystem::path& log, Deliveries& deliveries, Lines& lines,
                             EngineOptions options = {}, LmdbOptions disk = {}) {
  disk.log_line = [&lines](std::string_view line) { lines.add(line); };
  options.log = [&lines](LogLevel, const std::string& line) { lines.add(line); };
  options.on_failure = [&lines](const ErrorInfo& error) { lines.add("failed: " + error.message); };
  return std::make_unique<Engine>(
      open_lmdb(log, disk), collecting([&deliveries](const std::string& key, const std::vector<std::string>& names) {
        deliveries.add(key, names);
      }),
      options);
}

void accepted_again(Engine& engine, const std::string& name) {
  const auto end = std::chrono::steady_clock::now() + 60s;
  for (;;) {
    try {
      send(engine, name);
      return;
    } catch (const StorageFull&) {
      REQUIRE(std::chrono::steady_clock::now() < end);
      std::this_thread::yield();
    }
  }
}

// Sends so many events, over all refusals.
void send_on(Senders& senders, std::size_t more) {
  const auto end = std::chrono::steady_clock::now() + 100s;
  for (const auto enough = senders.accepted().size() + more; senders.accepted().size() < enough; senders.resume()) {
    REQUIRE_MESSAGE(senders.wait_for_accepted(100), senders.errors());
    REQUIRE(senders.errors() == "");
    REQUIRE(std::chrono::steady_clock::now() < end);
  }
}

void check_books(Engine& engine, std::size_t accepted) {
  const auto ledger = engine.ledgers().front();
  CHECK(ledger.balanced());
  CHECK(ledger.accepted == accepted);
  CHECK(ledger.consumed == accepted);
  CHECK(!engine.stats().failed);
}

void check_log(const std::filesystem::path& log) {
  const auto reader = open_lmdb_read_only(log);
  const auto report = verify(*reader);
  for (const auto& issue : report.issues) CHECK_MESSAGE(false, issue.what);
}

}  // namespace

TEST_CASE("S26: a disk that fills and empties under traffic" * doctest::skip(!SmallDisk::allowed())) {
  const TemporaryDirectory directory;
  SmallDisk disk(directory.path(), 64 * mebibyte);
  const auto log = disk.path() / "log";
  Deliveries deliveries;
  Lines lines;
  std::set<std::string> accepted;
  {
    const auto engine = open(log, deliveries, lines);
    Senders senders(*engine, "s", 4);
    std::mt19937_64 random(7);
    for (int round = 0; round < 6; ++round) {
      CAPTURE(round);
      REQUIRE_MESSAGE(senders.wait_for_accepted(random() % 800), senders.errors());
      disk.fill(round % 3 == 2 ? mebibyte : 0);
      REQUIRE_MESSAGE(senders.wait_for_refusal(), senders.errors());
      REQUIRE(deliveries.wait_for(senders.accepted()));  // while the disk is full
      disk.empty();
      accepted_again(*engine, "again-" + std::to_string(round));
      accepted.insert("again-" + std::to_string(round));
      senders.resume();
      REQUIRE_MESSAGE(senders.wait_for_accepted(100), senders.errors());
      CHECK(senders.errors() == "");
    }
    disk.fill();
    REQUIRE_MESSAGE(senders.wait_for_refusal(), senders.errors());
    accepted.merge(senders.accepted());
    REQUIRE(deliveries.wait_for(accepted));
    CHECK(lines.count("the disk is full: new work is refused") >= 6);
    CHECK(lines.count("there is room on the disk again") >= 6);
    CHECK(lines.count("used up") == 0);
    CHECK(lines.count("failed: ") == 0);
    disk.empty();
    accepted_again(*engine, "last");
    accepted.insert("last");
    REQUIRE(deliveries.wait_for(accepted));
    engine->wait({"collect", std::to_string(std::hash<std::string>()("last") % 40)});
    check_books(*engine, accepted.size());
  }
  CHECK(!deliveries.doubled());
  check_log(log);
}

TEST_CASE("S26: a log that has filled its disk by itself is purged, and goes on" *
          doctest::skip(!SmallDisk::allowed())) {
  const TemporaryDirectory directory;
  SmallDisk disk(directory.path(), 64 * mebibyte);
  const auto log = disk.path() / "log";
  Deliveries deliveries;
  Lines lines;
  EngineOptions options;
  options.retention = 5s;
  options.checkpoint_age_records = 256;
  std::set<std::string> accepted;
  {
    const auto engine = open(log, deliveries, lines, options);
    Senders senders(*engine, "s", 4);
    disk.fill(12 * mebibyte);
    REQUIRE_MESSAGE(senders.wait_for_refusal(), senders.errors());
    REQUIRE(deliveries.wait_for(senders.accepted()));
    // More than the disk holds, and nobody makes room on it.
    send_on(senders, 15'000);
    CHECK(engine->stats().purged > 0);
    CHECK(senders.errors() == "");
    CHECK(lines.count("used up") == 0);
    CHECK(lines.count("failed: ") == 0);
  }
  check_log(log);
}

TEST_CASE("S26: killed on a full disk, again and again; what is reserved outlives the process" *
          doctest::skip(!SmallDisk::allowed())) {
  const TemporaryDirectory directory;
  SmallDisk disk(directory.path(), 64 * mebibyte);
  const auto log = disk.path() / "log";
  Deliveries deliveries;
  Lines lines;
  std::set<std::string> accepted;
  std::mt19937_64 random(11);
  for (int round = 0; round < 5; ++round) {
    CAPTURE(round);
    const auto life = [&round](const char* name) { return name + std::to_string(round); };
    {
      KilledHost host(log, life("first"), deliveries);
      REQUIRE(host.read_until_accepted(1 + random() % 500));
      disk.fill();
      if (round % 2 == 0) REQUIRE_MESSAGE(host.read_until_refused(), host.last_word());
      host.kill();
      accepted.insert(host.accepted().begin(), host.accepted().end());
    }
    for (int death = 0; death < 3; ++death) {
      KilledHost host(log, life("next") + std::to_string(death), deliveries);
      REQUIRE_MESSAGE(host.read_until_refused(), host.last_word());
      host.kill();
      accepted.insert(host.accepted().begin(), host.accepted().end());
    }
    {
      const auto engine = open(log, deliveries, lines);
      REQUIRE(deliveries.wait_for(accepted));
      disk.empty();
      accepted_again(*engine, life("again"));
      accepted.insert(life("again"));
      REQUIRE(deliveries.wait_for(accepted));
      CHECK(!engine->stats().failed);
    }
    check_log(log);
  }
  CHECK(!deliveries.doubled());
  CHECK(lines.count("used up") == 0);
}

TEST_CASE("S26: a log cannot be created on a full disk, and says so; there is room for it later" *
          doctest::skip(!SmallDisk::allowed())) {
  const TemporaryDirectory directory;
  SmallDisk disk(directory.path(), 64 * mebibyte);
  disk.fill();
  CHECK_THROWS_AS(open_lmdb(disk.path() / "log"), StorageFull);
  disk.empty();
  CHECK(open_lmdb(disk.path() / "log")->info().last_lsn == 0);
}

TEST_CASE("S26: where nothing can be allocated ahead, the free space is believed, and that is said once" *
          doctest::skip(!SmallDisk::allowed())) {
  const TemporaryDirectory directory;
  SmallDisk disk(directory.path(), 64 * mebibyte, SmallDisk::Kind::cannot_allocate);
  Deliveries deliveries;
  Lines lines;
  const auto engine = open(disk.path() / "log", deliveries, lines);
  Senders senders(*engine, "s", 4);
  REQUIRE_MESSAGE(senders.wait_for_accepted(500), senders.errors());
  disk.fill(3 * mebibyte);
  REQUIRE_MESSAGE(senders.wait_for_refusal(), senders.errors());
  REQUIRE(deliveries.wait_for(senders.accepted()));
  disk.empty();
  accepted_again(*engine, "again");
  REQUIRE(deliveries.wait_for({"again"}));
  CHECK(lines.count("cannot allocate ahead") == 1);
  CHECK(lines.count("failed: ") == 0);
}

TEST_CASE("S26: the map's end is as the disk's: refused, drained, purged, accepted again") {
  const TemporaryDirectory directory;
  const auto log = directory.path() / "log";
  Deliveries deliveries;
  Lines lines;
  EngineOptions options;
  options.retention = 3s;
  options.checkpoint_age_records = 256;
  LmdbOptions map;
  map.map_size_bytes = 24 * mebibyte;
  {
    const auto engine = open(log, deliveries, lines, options, map);
    Senders senders(*engine, "s", 4);
    REQUIRE_MESSAGE(senders.wait_for_refusal(), senders.errors());
    REQUIRE(deliveries.wait_for(senders.accepted()));
    send_on(senders, 15'000);  // more than the map holds
    CHECK(engine->stats().purged > 0);
    CHECK(lines.count("used up") == 0);
    CHECK(lines.count("failed: ") == 0);
  }
  check_log(log);
}

TEST_CASE("S26: short runs on ever new long keys fill a small map, whose rows and history go again") {
  const TemporaryDirectory directory;
  const auto log = directory.path() / "log";
  Lines lines;
  EngineOptions options;
  options.retention = 300ms;
  options.log = [&lines](LogLevel, const std::string& line) { lines.add(line); };
  LmdbOptions map;
  map.map_size_bytes = 32 * mebibyte;
  constexpr std::size_t enough = 60'000;  // more than five times what the map holds
  constexpr std::size_t in_flight = 256;
  {
    Registry registry;
    registry.orchestrator("note", [](Context&, const std::string& text) { return text; });
    Engine engine(open_lmdb(log, map), std::move(registry), options);
    std::atomic<std::size_t> accepted = 0, refused = 0, flying = 0;
    std::mutex mutex;
    std::string error;
    const auto end = std::chrono::steady_clock::now() + 120s;
    for (std::size_t number = 0; accepted < enough; ++number) {
      if (std::chrono::steady_clock::now() > end) FAIL("it stands still at ", accepted.load(), " accepted");
      while (flying >= in_flight) std::this_thread::yield();
      ++flying;
      const auto key = std::to_string(number) + std::string(990, 'k');
      engine.start({"note", key}, std::string(), {}, [&](const Result<Accepted>& result) {
        ++(result ? accepted : refused);
        if (!result && result.error.code != ErrorCode::storage_full) {
          const std::lock_guard lock(mutex);
          error = result.error.message;
        }
        --flying;
      });
    }
    while (flying != 0) std::this_thread::yield();
    CHECK(error == "");
    CHECK(engine.stats().purged > 0);
    CHECK(!engine.stats().failed);
    MESSAGE(refused.load(), " refused");
  }
  check_log(log);
  CHECK(lines.count("used up") == 0);
}
