#include "tools/gateway/lives.hpp"

#include "tools/gateway/boot_time.hpp"

#include <fstream>
#include <iomanip>
#include <sstream>
#include <string>

namespace bobbin::gateway {

namespace {

// Every line has the same length: a file is written over in place, by one call, and a kill leaves no half of a number.
constexpr int lsn_digits = 20;
constexpr int microseconds_digits = 19;
// A crash loop makes many lives. So many fit into one block of a file system: once the file is there, it needs no more
// room on a full disk.
constexpr std::size_t lives_max = 66;
constexpr unsigned beats_a_sync = 10;

std::vector<Life> read(std::istream& in) {
  std::vector<Life> lives;
  Lsn first_lsn = 0;
  for (Duration::rep began = 0, lived = 0; in >> first_lsn >> began >> lived;) {
    if (began < 0 || lived < 0 || (!lives.empty() && first_lsn <= lives.back().first_lsn)) break;
    lives.push_back({first_lsn, Elapsed(began), Duration(lived)});
  }
  return lives;
}

}  // namespace

std::vector<Life> with_new_life(std::vector<Life> lives, const Record* last, Duration long_enough) {
  const Life life{last ? last->lsn + 1 : 1, last ? last->elapsed : Elapsed{}, {}};
  while (!lives.empty() && lives.back().first_lsn >= life.first_lsn) lives.pop_back();
  auto from = lives.size();
  while (from > 0 && lives.size() - from + 1 < lives_max) {
    --from;
    if (lives[from].lived > long_enough) break;
  }
  lives.erase(lives.begin(), lives.begin() + static_cast<std::ptrdiff_t>(from));
  lives.push_back(life);
  return lives;
}

Lives::Lives(const std::filesystem::path& data_directory) : file_(data_directory / "alive") {
  std::ifstream in(file_.path());
  earlier_ = read(in);
}

void Lives::begin(const Record* last, Duration long_enough) {
  noted_ = with_new_life(earlier_, last, long_enough);
  file_.open();
  write();
  file_.sync();
  file_.sync_name();
}

void Lives::beat() {
  if (!file_.is_open()) return;
  if (!first_beat_) first_beat_ = boot_time();
  noted_.back().lived = lived();
  write();
  if (++beats_ % beats_a_sync == 0) file_.sync();
}

Duration Lives::lived() const { return first_beat_ ? boot_time() - *first_beat_ : Duration{}; }

void Lives::write() {
  std::ostringstream lines;
  const auto add = [&lines](const Life& life) {
    lines << std::setfill('0') << std::setw(lsn_digits) << life.first_lsn << ' ' << std::setw(microseconds_digits)
          << life.began.count() << ' ' << std::setw(microseconds_digits) << life.lived.count() << '\n';
  };
  for (const auto& life : noted_) add(life);
  add({});  // ends what is read: behind it may be what is left of a longer list
  file_.write(lines.str(), 0);
}

}  // namespace bobbin::gateway
