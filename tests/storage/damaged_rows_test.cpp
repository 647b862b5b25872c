// Readers that step over damaged rows, and what is damage of more than a row.
#include "storage/lmdb/failure.hpp"
#include "storage/log/frame.hpp"
#include "storage/log/keys.hpp"
#include "storage/log/snapshot.hpp"

#include <bobbin/damage.hpp>
#include <bobbin/memory_store.hpp>

#include <doctest/doctest.h>
#include <lmdb.h>

#include <cerrno>
#include <string>
#include <utility>
#include <vector>

using namespace bobbin;

namespace {

// Letters of one part and of three in turn.
std::shared_ptr<MemoryDisk> disk_with_letters(Lsn count) {
  auto disk = MemoryDisk::create(1);
  Batch batch;
  batch.records.emplace_back();
  batch.records.back().lsn = 1;
  batch.records.back().body = OpenedBody{};
  for (Lsn lsn = 1; lsn <= count; ++lsn) {
    DeadLetter letter;
    letter.lsn = 1;
    letter.position = {lsn, 0};
    letter.state = DeadLetterState::dead;
    letter.name = {"o", "k"};
    letter.what = "w";
    letter.cause = {ErrorCode::application, "t", std::string(lsn % 2 == 1 ? 5'000 : 10, 'x'), false};
    batch.dead_letters.push_back(letter);
  }
  disk->open()->commit(batch);
  return disk;
}

// A leaf as LMDB has it: searched by halves, walked in the order in which its entries lie.
class Leaf final : public storage::Cursor {
 public:
  std::vector<std::pair<std::string, std::string>> entries;

  bool seek(std::string_view key) override {
    std::size_t low = 0;
    for (auto high = entries.size(); low < high;) {
      const auto middle = (low + high) / 2;
      if (entries[middle].first == key) return stands_at(middle);
      if (entries[middle].first < key)
        low = middle + 1;
      else
        high = middle;
    }
    return stands_at(low);
  }
  bool first() override { return stands_at(0); }
  bool last() override { return stands_at(entries.size() - 1); }
  bool next() override { return stands_at(at_ + 1); }
  bool previous() override { return at_ != 0 && stands_at(at_ - 1); }
  std::string_view key() const override { return entries[at_].first; }
  std::string_view value() const override { return entries[at_].second; }

 private:
  bool stands_at(std::size_t at) {
    at_ = at;
    return at_ < entries.size();
  }
  std::size_t at_ = 0;
};

class OneLeaf final : public storage::Reader {
 public:
  Leaf leaf;
  storage::Cursor& cursor(storage::Table) override { return leaf; }
};

ErrorCode code_of_failure(int number) {
  try {
    storage::throw_failure(number, "reading", "the log");
  } catch (const Error& error) {
    CHECK(!is_damaged_record(error));
    return error.code();
  }
}

}  // namespace

TEST_CASE("damaged rows are stepped over alone, whatever parts they have and wherever a page ends") {
  constexpr Lsn count = 10;
  const auto disk = disk_with_letters(count);
  for (Lsn damaged = 1; damaged <= count; ++damaged) {
    disk->damage_row(Position{damaged, 0}, 9, 1);
    for (const std::size_t limit : {1u, 2u, 3u, 100u}) {
      CAPTURE(damaged);
      CAPTURE(limit);
      std::vector<Lsn> seen;
      std::vector<std::string> told;
      const auto tell = [&told](const ErrorInfo& error) { told.push_back(error.message); };
      for (Position after;;) {
        const auto page = disk->snapshot()->dead_letters(after, limit, tell);
        for (const auto& letter : page) seen.push_back(letter.position.lsn);
        if (page.size() < limit) break;
        after = page.back().position;
      }
      CHECK(seen.size() == count - 1);
      REQUIRE(told.size() == 1);
      CHECK(told[0].find("dead letter " + to_string(Position{damaged, 0})) != std::string::npos);
    }
    CHECK_THROWS_AS(disk->snapshot()->dead_letters({}, 100), Corrupt);
    disk->damage_row(Position{damaged, 0}, 9, 1);
  }
}

TEST_CASE("a damaged key leads no reader astray: keys out of order are damage of the whole log") {
  auto reader = std::make_unique<OneLeaf>();
  for (std::uint8_t i = 1; i <= 7; ++i) {
    InstanceId id;
    id.bytes[0] = i;
    const auto key = storage::due_key({LogTime(Duration(1'000 * i)), id});
    const auto checksum = storage::checksum_of(key.view());
    reader->leaf.entries.emplace_back(key.view(), std::string(reinterpret_cast<const char*>(&checksum), 8));
  }
  auto& key = reader->leaf.entries[2].first;
  SUBCASE("less than those before it") { key[0] = static_cast<char>(key[0] ^ 0x80); }
  SUBCASE("more than those behind it") { key[1] = static_cast<char>(key[1] ^ 0x40); }
  storage::TableSnapshot snapshot(std::move(reader));
  const auto read_all = [&snapshot] {
    std::size_t read = 0;
    for (std::optional<DueEntry> after;;) {
      const auto page = snapshot.due(after, 2, [](const ErrorInfo&) {});
      read += page.size();
      REQUIRE(read < 20);
      if (page.size() < 2) return;
      after = page.back();
    }
  };
  CHECK_THROWS_AS(snapshot.due({}, 1'024, [](const ErrorInfo&) {}), CorruptLog);
  CHECK_THROWS_AS(read_all(), CorruptLog);
}

TEST_CASE("what LMDB and the disk say of the structure around records is damage of the whole log") {
  for (const auto number : {MDB_CORRUPTED, MDB_PAGE_NOTFOUND, MDB_INVALID, MDB_CURSOR_FULL, EIO}) {
    CAPTURE(number);
    CHECK(code_of_failure(number) == ErrorCode::corrupt);
  }
  CHECK(code_of_failure(MDB_PANIC) == ErrorCode::outcome_unknown);
  CHECK(code_of_failure(ENOENT) == ErrorCode::not_found);
  CHECK(code_of_failure(ENOSPC) == ErrorCode::storage_full);
}
