// A log cut short or with flipped bits, at any place: a clear error or right content, never a crash of who reads it.
#include "storage/lmdb/page_check.hpp"
#include "tests/storage/forked.hpp"
#include "tests/storage/lmdb_fixture.hpp"

#include <bobbin/verify.hpp>

#include <doctest/doctest.h>

#include <fstream>
#include <map>
#include <random>
#include <sstream>

using namespace bobbin;
using namespace bobbin::test;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t page_bytes = 4'096;

std::string bytes_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

void write_bytes(const fs::path& file, std::string_view bytes) {
  std::ofstream stream(file, std::ios::binary | std::ios::trunc);
  stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  REQUIRE(stream.good());
}

// All tables, several levels, free pages, records in parts.
void fill(const fs::path& log) {
  const auto store = open_lmdb(log);
  Generator generate(77);
  Lsn next = 1;
  for (int commit = 0; commit < 20; ++commit) {
    auto batch = plain_turns(next, 12, 150);
    next += 12;
    for (int i = 0; i < 4; ++i) {
      auto state = generate.instance(next - 1);
      state.name = {"orchestrator", std::to_string(next) + "." + std::to_string(i)};
      state.id = instance_id(state.name);
      batch.instances.push_back(state);
    }
    Ledger ledger;
    ledger.lsn = next - 1;
    ledger.orchestrator = "orchestrator " + std::to_string(commit % 7);
    ledger.accepted = ledger.consumed = next;
    batch.ledgers.push_back(ledger);
    batch.dead_letters.push_back(generate.dead_letter(next - 1));
    store->commit(batch);
  }
  store->commit(plain_turns(next, 1, 5'000));
}

// All that a reader can see of the log, or what is wrong with it.
std::string look(const fs::path& log) {
  const auto reader = open_lmdb_read_only(log);
  const auto report = verify(*reader);
  if (!report.ok()) return "damaged: " + report.issues.front().what;
  std::ostringstream seen;
  const auto snapshot = reader->snapshot();
  seen << snapshot->info().last_lsn << ' ' << report.records << ' ' << report.instances << ' ' << report.dead_letters;
  snapshot->scan(1, [&seen](Record&& record) {
    seen << show(record);
    return true;
  });
  for (const auto& ledger : snapshot->ledgers()) seen << show(ledger);
  return std::to_string(std::hash<std::string>()(seen.str()));
}

// An engine's opening and first steps: reads, rows of all kinds, commits.
std::string use(const fs::path& log) {
  const auto store = open_lmdb(log);
  const auto snapshot = store->snapshot();
  snapshot->ledgers();
  snapshot->due(std::nullopt, 100);
  snapshot->instances(std::nullopt, 1'000);
  snapshot->scan(1, [](Record&&) { return true; });
  const auto last = store->info().last_lsn;
  for (Lsn i = 1; i <= 20; ++i) store->commit(plain_turns(last + i, 1, 700));
  return "used";
}

// What became of many damaged logs.
class Outcomes {
 public:
  explicit Outcomes(const fs::path& log)
      : log_(log), sound_(bytes_of(log / "data.mdb")), right_(in_child([&] { return look(log_); }).said) {
    REQUIRE(!says(right_, ":"));
  }

  const std::string& sound() const { return sound_; }

  void try_reading(const std::string& damaged, const std::string& where) {
    write_bytes(log_ / "data.mdb", damaged);
    take(in_child([&] { return look(log_); }), where + ", reading", true);
  }
  void try_using(const std::string& damaged, const std::string& where) {
    write_bytes(log_ / "data.mdb", damaged);
    take(in_child([&] { return use(log_); }), where + ", using", false);
  }
  std::string summary() const {
    std::string text;
    for (const auto& [what, times] : counts_) text += what + " " + std::to_string(times) + "; ";
    return text;
  }
  int times(const std::string& what) { return counts_[what]; }

 private:
  void take(const ChildEnd& end, const std::string& where, bool reading) {
    // An end of the log that is far too far away looks like a full map.
    const bool clear = says(end.said, "storage_full: ") || says(end.said, "corrupt: ") || says(end.said, "damaged: ") ||
                       says(end.said, "not_found: ") || says(end.said, "unsupported_format: ") ||
                       says(end.said, "outcome_unknown: ");
    const bool right = reading ? end.said == right_ : end.said == "used";
    CHECK_MESSAGE(end.signal == 0, where, ": died of signal ", end.signal);
    CHECK_MESSAGE((end.signal != 0 || clear || right), where, ": ", end.said);
    ++counts_[end.signal != 0 ? "died" : right ? "right" : clear ? "refused" : "wrong"];
  }

  const fs::path log_;
  const std::string sound_;
  const std::string right_;
  std::map<std::string, int> counts_;
};

}  // namespace

TEST_CASE("the structure of sound logs passes, whatever was written") {
  const TempDirectory directory;
  const auto log = directory.path() / "log";
  fill(log);
  open_lmdb_read_only(log)->check_pages();
  for (int round = 0; round < 5; ++round) {
    use(log);
    open_lmdb_read_only(log)->check_pages();
  }
}

TEST_CASE("a log cut short at every 512th byte is refused, or right") {
  const TempDirectory directory;
  const auto log = directory.path() / "log";
  fill(log);
  Outcomes outcomes(log);
  for (std::size_t size = 0; size < outcomes.sound().size(); size += 512) {
    const auto where = "cut at " + std::to_string(size);
    outcomes.try_reading(outcomes.sound().substr(0, size), where);
    if (size % 2'048 == 512) outcomes.try_using(outcomes.sound().substr(0, size), where);
  }
  MESSAGE(outcomes.summary());
  CHECK(outcomes.times("refused") > 100);
}

TEST_CASE("a log with flipped bits is refused, or right: in the headers and offsets of each page, and anywhere") {
  const TempDirectory directory;
  const auto log = directory.path() / "log";
  fill(log);
  Outcomes outcomes(log);
  std::mt19937_64 random(20);
  const auto flip = [&](std::size_t byte) {
    auto damaged = outcomes.sound();
    const auto bit = random() % 8;
    damaged[byte] = static_cast<char>(damaged[byte] ^ (1 << bit));
    const auto where = "bit " + std::to_string(bit) + " of byte " + std::to_string(byte);
    outcomes.try_reading(damaged, where);
    outcomes.try_using(damaged, where);
  };
  // A page's header, its offsets, and the heads of its entries, which stand at its end.
  const auto pages = outcomes.sound().size() / page_bytes;
  for (std::size_t page = 0; page < pages; ++page) {
    flip(page * page_bytes + random() % 32);
    flip(page * page_bytes + page_bytes - 1 - random() % 512);
  }
  for (int i = 0; i < 100; ++i) flip(random() % 168);               // the first meta page
  for (int i = 0; i < 100; ++i) flip(page_bytes + random() % 168);  // the second
  for (int i = 0; i < 200; ++i) flip(random() % outcomes.sound().size());
  MESSAGE(outcomes.summary());
  CHECK(outcomes.times("refused") > 200);
  CHECK(outcomes.times("right") > 100);
}
