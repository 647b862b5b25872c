// What a gateway remembers of the lives before its own, from the end of the log (S30).
#include "tools/gateway/restart.hpp"

#include "tests/support/temporary_directory.hpp"
#include "tools/gateway/dedup_id.hpp"

#include <bobbin/memory_store.hpp>

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

using namespace bobbin;
using namespace bobbin::gateway;
using namespace std::chrono_literals;

namespace {

// A log of openings and messages, each this long after the one before it.
class Log {
 public:
  // A life begins with this record; `lived`: what it noted last.
  Log& opening(Duration lived) {
    lives_ = with_new_life(std::move(lives_), last(), 60s);
    lives_.back().lived = lived;
    return add(0s, OpenedBody{});
  }
  // A life that dies before its first record is durable.
  Log& life_without_records() {
    lives_ = with_new_life(std::move(lives_), last(), 60s);
    return *this;
  }
  Log& message(Duration later) {
    EventInput input;
    input.event.name = "sms";
    input.event.position = {batch_.records.size() + 1, 0};
    input.event.dedup_id = occurrence_id(hash_fields({"text"}), batch_.records.size());
    AcceptedBody body;
    body.inputs.push_back(std::move(input));
    return add(later, std::move(body));
  }
  Log& wall_clock_steps(Duration by) {
    time_ += by;
    return *this;
  }
  // All records but the last are purged.
  Log& purged() {
    purged_ = true;
    return *this;
  }
  Log& lives_are_lost() {
    lives_.clear();
    return *this;
  }

  std::size_t remembered() const {
    const auto disk = MemoryDisk::create();
    if (!batch_.empty()) disk->open()->commit(batch_);
    if (purged_) {
      Batch purge;
      purge.purge.emplace();
      purge.purge->until = elapsed_;
      purge.purge->below = purge.purge->records = batch_.records.size();
      disk->open()->commit(purge);
    }
    Retransmission retransmission({}, [] { return 1; });
    return seed_after_restart(*disk->open(), lives_, {}, {}, retransmission);
  }

 private:
  const Record* last() const { return batch_.records.empty() ? nullptr : &batch_.records.back(); }
  Log& add(Duration later, RecordBody body) {
    Record record;
    record.lsn = batch_.records.size() + 1;
    record.log_time = time_ += later;
    record.elapsed = elapsed_ += later;
    record.body = std::move(body);
    batch_.records.push_back(std::move(record));
    return *this;
  }

  LogTime time_{1'700'000'000s};
  Elapsed elapsed_{};
  Batch batch_;
  std::vector<Life> lives_;
  bool purged_ = false;
};

}  // namespace

TEST_CASE("S30: what was accepted within 5 s before the death may be repeated") {
  CHECK(Log().opening(2s).message(1s).message(1s).remembered() == 2);
  CHECK(Log().opening(7s).message(1s).message(6s).remembered() == 1);
  CHECK(Log().opening(6s).message(1s).remembered() == 1);
  CHECK(Log().opening(6s + 1us).message(1s).remembered() == 0);
  // It lived on a little after it noted that last.
  CHECK(Log().opening(1s).message(1s).message(6s).remembered() == 1);
  CHECK(Log().remembered() == 0);
}

TEST_CASE("S30, S4: steps of the wall clock change nothing") {
  CHECK(Log().opening(2s).message(1s).wall_clock_steps(3h).message(1s).remembered() == 2);
  CHECK(Log().opening(1h).message(1s).wall_clock_steps(-1h).remembered() == 0);
}

TEST_CASE("S30: a life too short for repetitions leaves those of the life before to the next") {
  CHECK(Log().opening(1s).message(1s).opening(60s - 1us).remembered() == 1);
  CHECK(Log().opening(1s).message(1s).opening(60s).remembered() == 0);
  CHECK(Log().opening(1s).message(1s).opening(0s).opening(1s).opening(58s).remembered() == 1);
  CHECK(Log().opening(1s).message(1s).opening(30s).opening(30s).remembered() == 0);
  CHECK(Log().opening(9s).message(1s).opening(0s).remembered() == 0);
  CHECK(Log().opening(1s).message(1s).opening(20s).message(17s).remembered() == 2);
  CHECK(Log().opening(1s).message(1s).opening(20s).message(4s).remembered() == 1);
}

TEST_CASE("S30: how long the machine was down between two lives does not matter") {
  CHECK(Log().opening(1s).message(1s).wall_clock_steps(1h).opening(1s).wall_clock_steps(1h).remembered() == 1);
}

TEST_CASE("S30: a life that wrote nothing changes nothing") {
  CHECK(Log().opening(1s).message(1s).life_without_records().remembered() == 1);
  CHECK(Log().opening(9s).message(1s).life_without_records().life_without_records().remembered() == 0);
  CHECK(Log().opening(1s).message(1s).life_without_records().opening(3s).message(1s).remembered() == 2);
}

TEST_CASE("S30: without notes of any life the last record counts as the death") {
  CHECK(Log().opening(1h).message(1s).message(1s).lives_are_lost().remembered() == 2);
  CHECK(Log().opening(1h).message(1s).message(6s).lives_are_lost().remembered() == 1);
}

TEST_CASE("S30, S28: in a life longer than the retention its beginning is purged, not its end") {
  const auto long_life = [] { return Log().opening(1h).message(1s).message(1s); };
  CHECK(long_life().remembered() == 0);
  CHECK(long_life().purged().remembered() == 0);
  CHECK(Log().opening(2s).message(1s).message(1s).purged().remembered() == 1);
}

TEST_CASE("notes of lives stand in a file, last as they were before a kill") {
  const testing::TemporaryDirectory directory;
  const auto ending_with = [](Lsn lsn) {
    Record record;
    record.lsn = lsn;
    record.elapsed = 9s;
    return record;
  };
  const auto sixth = ending_with(6);
  const auto text = [&] {
    std::ifstream in(directory.path() / "alive");
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  {
    Lives lives(directory.path());
    CHECK(lives.all().empty());
    lives.begin(nullptr, 60s);
    lives.beat();
    lives.beat();
    CHECK(lives.all().back().lived >= 0s);
  }
  const auto first = Lives(directory.path()).all();
  REQUIRE(first.size() == 1);
  CHECK(first[0].first_lsn == 1);
  {
    Lives lives(directory.path());
    lives.begin(&sixth, 60s);
    CHECK(lives.all() == std::vector<Life>{first[0], {7, 9s, {}}});
  }
  CHECK(Lives(directory.path()).all().size() == 2);
  {
    Lives lives(directory.path());
    lives.begin(&sixth, 60s);
    CHECK(lives.all().size() == 2);
  }
  SUBCASE("a shorter list does not bring back what stood behind it") {
    std::ofstream(directory.path() / "alive") << "1 0 5\n2 1 90000000\n3 2 7\n4 3 9\n";
    Lives lives(directory.path());
    const auto fourth = ending_with(4);
    lives.begin(&fourth, 60s);
    CHECK(lives.all() == std::vector<Life>{{2, 1us, 90s}, {3, 2us, 7us}, {4, 3us, 9us}, {5, 9s, {}}});
    const auto second = ending_with(2);
    Lives(directory.path()).begin(&second, 60s);
    CHECK(Lives(directory.path()).all() == std::vector<Life>{{2, 1us, 90s}, {3, 9s, {}}});
  }
  SUBCASE("nonsense ends the list") {
    for (const auto* content : {"", "x", "1", "1 0", "1 0 -5\n", "1 -1 5\n", "\0\0\0\0"}) {
      std::ofstream(directory.path() / "alive") << content;
      CHECK(Lives(directory.path()).all().empty());
    }
    std::ofstream(directory.path() / "alive") << "4 0 1\n4 0 2\n";
    CHECK(Lives(directory.path()).all() == std::vector<Life>{{4, 0us, 1us}});
  }
  SUBCASE("a crash loop's notes stay within one block of a file system") {
    for (Lsn lsn = 8; lsn < 400; ++lsn) {
      const auto last = ending_with(lsn);
      Lives(directory.path()).begin(&last, 60s);
    }
    CHECK(text().size() <= 4'096);
    CHECK(Lives(directory.path()).all().back().first_lsn == 400);
  }
}
