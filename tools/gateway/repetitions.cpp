#include "tools/gateway/repetitions.hpp"

#include "tools/gateway/dedup_id.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>
#include <system_error>
#include <utility>

namespace bobbin::gateway {

namespace {

constexpr std::size_t long_at_least = 10'000;

std::string lines_of(const std::vector<Repetition>& repetitions) {
  std::string text;
  for (const auto& repetition : repetitions)
    text += std::to_string(repetition.life) + ' ' + std::to_string(repetition.lived.count()) + ' ' +
            repetition.dedup_id + '\n';
  return text;
}

// A line that a death cut off lacks its end, and is none: it was not answered.
std::vector<Repetition> read(std::istream& in) {
  std::vector<Repetition> repetitions;
  for (std::string line; std::getline(in, line) && !in.eof();) {
    std::istringstream fields(line);
    Repetition repetition;
    Duration::rep lived = 0;
    if (!(fields >> repetition.life >> lived >> repetition.dedup_id)) break;
    repetition.lived = Duration(lived);
    if (lived < 0 || !key_of(repetition.dedup_id) || lines_of({repetition}) != line + '\n') break;
    repetitions.push_back(std::move(repetition));
  }
  return repetitions;
}

}  // namespace

Repetitions::Repetitions(const std::filesystem::path& data_directory)
    : file_(data_directory / "repeated"), long_(long_at_least) {
  std::ifstream in(file_.path());
  all_ = read(in);
  size_ = lines_of(all_).size();
}

void Repetitions::begin(Lsn life, Duration matters_for) {
  life_ = life;
  matters_for_ = matters_for;
  open();
}

void Repetitions::note(const std::vector<std::string>& dedup_ids, Duration lived) {
  open();
  if (all_.size() >= long_) drop_old(lived);
  std::vector<Repetition> added;
  for (const auto& dedup_id : dedup_ids) added.push_back({life_, lived, dedup_id});
  const auto text = lines_of(added);
  ready_ = false;  // until they are written: a part of them must not stay
  file_.write(text, size_);
  file_.sync();
  ready_ = true;
  size_ += text.size();
  std::ranges::move(added, std::back_inserter(all_));
}

void Repetitions::open() {
  if (ready_) return;
  file_.open();
  file_.truncate(size_);
  file_.sync_name();
  ready_ = true;
}

// If it fails, one note is refused, and the next ones go behind what is there.
void Repetitions::drop_old(Duration lived) {
  long_ = 2 * all_.size();
  auto young = all_;
  std::erase_if(young, [&](const Repetition& repetition) {
    return lived - (repetition.life == life_ ? repetition.lived : Duration{}) > matters_for_;
  });
  const auto text = lines_of(young);
  file_.replace(text);
  all_ = std::move(young);
  size_ = text.size();
  long_ = std::max(long_at_least, 2 * all_.size());
  ready_ = false;
  open();
}

}  // namespace bobbin::gateway
