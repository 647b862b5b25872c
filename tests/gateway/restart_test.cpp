// What a gateway remembers of the lives before its own, from the end of the log (S30).
#include "tools/gateway/restart.hpp"

#include "tests/support/temporary_directory.hpp"
#include "tools/gateway/dedup_id.hpp"

#include <bobbin/memory_store.hpp>

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
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
    past_.lives = with_new_life(std::move(past_.lives), last(), 60s);
    past_.lives.back().lived = lived;
    return add(0s, OpenedBody{});
  }
  // A life that dies before its first record is durable.
  Log& life_without_records() {
    past_.lives = with_new_life(std::move(past_.lives), last(), 60s);
    return *this;
  }
  Log& message(Duration later) {
    EventInput input;
    input.event.name = "sms";
    input.event.position = {batch_.records.size() + 1, 0};
    input.event.dedup_id = id_at(batch_.records.size() + 1);
    AcceptedBody body;
    body.inputs.push_back(std::move(input));
    return add(later, std::move(body));
  }
  Log& wall_clock_steps(Duration by) {
    time_ += by;
    return *this;
  }
  // The message of that record came again, this long after the living life began.
  Log& repetition(Lsn first, Duration lived) {
    past_.repetitions.push_back({past_.lives.back().first_lsn, lived, id_at(first)});
    return *this;
  }
  // The last record is one that a live run needs.
  Log& needed() {
    batch_.records.back().instance = live_instance;
    batch_.records.back().run = live_run;
    return *this;
  }
  // All records are purged but the last and those that are needed.
  Log& purged() {
    purged_ = true;
    return *this;
  }
  Log& lives_are_lost() {
    past_.lives.clear();
    return *this;
  }

  // So long after the restart.
  std::size_t remembered(Duration later = {}) const {
    const auto disk = MemoryDisk::create();
    if (!batch_.empty()) disk->open()->commit(batch_);
    if (purged_) disk->open()->commit(purge_order());
    Retransmission retransmission({}, [] { return 1; });
    const auto seeded = seed_after_restart(*disk->open(), past_, {}, {}, retransmission);
    CHECK(seeded == retransmission.remembered());
    retransmission.judge({}, Retransmission::Time(later));
    return retransmission.remembered() - 1;
  }

 private:
  static std::string id_at(Lsn lsn) { return occurrence_id(hash_fields({"text"}), lsn); }
  Batch purge_order() const {
    Batch batch;
    batch.instances.emplace_back();
    batch.instances.back().id = live_instance;
    batch.instances.back().run = live_run;
    batch.instances.back().status = RunStatus::running;
    batch.purge.emplace();
    batch.purge->until = elapsed_;
    batch.purge->below = batch.purge->records = batch_.records.size();
    return batch;
  }
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

  static constexpr InstanceId live_instance{{1}};
  static constexpr RunId live_run = 1;

  LogTime time_{1'700'000'000s};
  Elapsed elapsed_{};
  Batch batch_;
  Past past_;
  bool purged_ = false;
};

// No file of this process grows beyond it, as on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(std::uint64_t bytes) : signal_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, signal_);
  }

 private:
  rlimit before_{};
  void (*signal_)(int);
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

TEST_CASE("S30, S28: what is purged does not hide what stands before it") {
  CHECK(Log().opening(4s).message(1s).needed().message(1s).message(1s).purged().remembered() == 2);
  CHECK(Log().opening(9s).message(1s).needed().message(4s).message(1s).purged().remembered() == 1);
  // The last record of the former life, too.
  CHECK(Log().opening(2s).message(1s).needed().message(1s).opening(1s).purged().remembered() == 1);
  CHECK(Log().opening(6s).message(1s).needed().message(5s).opening(1s).purged().remembered() == 1);
  CHECK(Log().opening(6s).message(1s).needed().message(5s + 1us).opening(1s).purged().remembered() == 0);
}

TEST_CASE("S30: each message absorbs one repetition, over however many short lives") {
  CHECK(Log().opening(1s).message(1s).opening(20s).remembered() == 1);
  CHECK(Log().opening(1s).message(1s).opening(20s).repetition(2, 1s).remembered() == 0);
  CHECK(Log().opening(1s).message(1s).opening(20s).repetition(2, 1s).opening(1s).remembered() == 0);
  CHECK(Log().opening(1s).message(1s).message(0s).opening(20s).repetition(3, 1s).remembered() == 1);
  CHECK(Log().opening(1s).message(1s).opening(20s).repetition(2, 1s).message(17s).remembered() == 1);
}

TEST_CASE("S30: a repetition that is cut off by a death in its turn may come again, for as long as any message") {
  CHECK(Log().opening(1s).message(1s).opening(20s).repetition(2, 15s - 1us).remembered() == 0);
  CHECK(Log().opening(1s).message(1s).opening(20s).repetition(2, 15s).remembered() == 1);
  CHECK(Log().opening(1s).message(1s).opening(59s).repetition(2, 58s).remembered(60s - 1us) == 1);
  CHECK(Log().opening(1s).message(1s).opening(59s).repetition(2, 58s).remembered(60s) == 0);
  CHECK(Log().opening(1s).message(1s).opening(59s).repetition(2, 58s).opening(50s).remembered(10s - 1us) == 1);
  CHECK(Log().opening(1s).message(1s).opening(59s).repetition(2, 58s).opening(50s).remembered(10s) == 0);
  CHECK(Log().opening(1h).message(1s).repetition(2, 50s).remembered() == 0);
  CHECK(Log().opening(1h).message(1s).repetition(2, 50s).repetition(2, 1h - 5s).remembered() == 1);
  // It came after the last note of that life.
  CHECK(Log().opening(1s).message(1s).opening(2s).repetition(2, 3s).remembered() == 1);
  CHECK(Log().opening(1h).message(1s).message(9s).repetition(2, 1h).lives_are_lost().remembered() == 2);
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
    CHECK(lives.earlier().empty());
    lives.begin(nullptr, 60s);
    lives.beat();
    lives.beat();
    CHECK(lives.first_lsn() == 1);
    CHECK(lives.lived() >= 0s);
    CHECK(lives.earlier().empty());
  }
  const auto first = Lives(directory.path()).earlier();
  REQUIRE(first.size() == 1);
  CHECK(first[0].first_lsn == 1);
  {
    Lives lives(directory.path());
    lives.begin(&sixth, 60s);
    CHECK(lives.earlier() == first);
  }
  CHECK(Lives(directory.path()).earlier() == std::vector<Life>{first[0], {7, 9s, {}}});
  {
    Lives lives(directory.path());
    lives.begin(&sixth, 60s);
  }
  CHECK(Lives(directory.path()).earlier().size() == 2);
  SUBCASE("a shorter list does not bring back what stood behind it") {
    std::ofstream(directory.path() / "alive") << "1 0 5\n2 1 90000000\n3 2 7\n4 3 9\n";
    const auto fourth = ending_with(4);
    Lives(directory.path()).begin(&fourth, 60s);
    CHECK(Lives(directory.path()).earlier() ==
          std::vector<Life>{{2, 1us, 90s}, {3, 2us, 7us}, {4, 3us, 9us}, {5, 9s, {}}});
    const auto second = ending_with(2);
    Lives(directory.path()).begin(&second, 60s);
    CHECK(Lives(directory.path()).earlier() == std::vector<Life>{{2, 1us, 90s}, {3, 9s, {}}});
  }
  SUBCASE("nonsense ends the list") {
    for (const auto* content : {"", "x", "1", "1 0", "1 0 -5\n", "1 -1 5\n", "\0\0\0\0"}) {
      std::ofstream(directory.path() / "alive") << content;
      CHECK(Lives(directory.path()).earlier().empty());
    }
    std::ofstream(directory.path() / "alive") << "4 0 1\n4 0 2\n";
    CHECK(Lives(directory.path()).earlier() == std::vector<Life>{{4, 0us, 1us}});
  }
  SUBCASE("a crash loop's notes stay within one block of a file system") {
    for (Lsn lsn = 8; lsn < 400; ++lsn) {
      const auto last = ending_with(lsn);
      Lives(directory.path()).begin(&last, 60s);
    }
    CHECK(text().size() <= 4'096);
    CHECK(Lives(directory.path()).earlier().back().first_lsn == 400);
  }
}

TEST_CASE("notes of repetitions stand in a file, those before a kill") {
  const testing::TemporaryDirectory directory;
  const auto id = [](std::uint64_t occurrence) { return occurrence_id(hash_fields({"text"}), occurrence); };
  const auto noted = [&] { return Repetitions(directory.path()).all(); };
  const auto size = [&] { return std::filesystem::file_size(directory.path() / "repeated"); };
  CHECK(noted().empty());
  {
    Repetitions repetitions(directory.path());
    repetitions.begin(1, 60s);
    CHECK(noted().empty());
    repetitions.note({id(1), id(2)}, 5s);
    CHECK(noted() == std::vector<Repetition>{{1, 5s, id(1)}, {1, 5s, id(2)}});
  }
  Repetitions repetitions(directory.path());
  repetitions.begin(9, 60s);
  SUBCASE("each life adds its own") {
    repetitions.note({id(1)}, 1us);
    CHECK(noted() == std::vector<Repetition>{{1, 5s, id(1)}, {1, 5s, id(2)}, {9, 1us, id(1)}});
    CHECK(repetitions.all() == noted());
  }
  SUBCASE("a line that a death cut off is none, and nothing follows it") {
    std::filesystem::resize_file(directory.path() / "repeated", size() - 1);
    Repetitions again(directory.path());
    CHECK(again.all() == std::vector<Repetition>{{1, 5s, id(1)}});
    again.begin(9, 60s);
    again.note({id(3)}, 2s);
    CHECK(noted() == std::vector<Repetition>{{1, 5s, id(1)}, {9, 2s, id(3)}});
  }
  SUBCASE("nonsense ends the list") {
    for (const auto& line : {std::string("x"), "1 5 " + id(1) + " 7", "1 -5 " + id(1), std::string("1 5 x"),
                             "01 5 " + id(1), std::string(), std::string(9, '\0')}) {
      std::ofstream(directory.path() / "repeated") << "1 5 " + id(1) + "\n" + line + "\n2 5 " + id(1) + "\n";
      CHECK(noted() == std::vector<Repetition>{{1, 5us, id(1)}});
    }
  }
  SUBCASE("those that find no room are not noted, nor is a part of them") {
    const auto before = noted();
    {
      const FileSizeLimit limit(size() + 100);
      CHECK_THROWS_AS(repetitions.note({id(3), id(4)}, 7s), std::system_error);
      CHECK_THROWS_AS(repetitions.note({id(3), id(4)}, 7s), std::system_error);
    }
    CHECK(repetitions.all() == before);
    repetitions.note({id(5)}, 8s);
    REQUIRE(noted().size() == 3);
    CHECK(noted().back() == Repetition{9, 8s, id(5)});
    CHECK(size() < 250);
  }
  SUBCASE("a file that cannot be opened is tried again with each note") {
    const testing::TemporaryDirectory elsewhere;
    std::filesystem::create_directory(elsewhere.path() / "repeated");
    Repetitions later(elsewhere.path());
    CHECK_THROWS_AS(later.begin(1, 60s), std::system_error);
    CHECK_THROWS_AS(later.note({id(1)}, 1s), std::system_error);
    std::filesystem::remove(elsewhere.path() / "repeated");
    later.note({id(2)}, 2s);
    CHECK(Repetitions(elsewhere.path()).all() == std::vector<Repetition>{{1, 2s, id(2)}});
  }
  SUBCASE("what no longer matters goes when there is much of it") {
    std::vector<std::string> many(1'000, id(7));
    for (int i = 0; i < 100; ++i) repetitions.note(many, std::chrono::seconds(i));
    CHECK(size() < 10'000'000);
    CHECK(repetitions.all() == noted());
    CHECK(repetitions.all().size() < 80'000);
    repetitions.note({id(8)}, 99s + 60s);
    repetitions.note({id(8)}, 99s + 60s + 1us);
    CHECK(noted().back().dedup_id == id(8));
  }
}
