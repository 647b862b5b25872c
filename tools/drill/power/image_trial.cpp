#include "tools/drill/power/image_trial.hpp"

#include "tools/drill/gateway_process.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <random>
#include <stdexcept>
#include <system_error>

namespace bobbin::drill {

namespace {

constexpr auto log_directory = "data";

std::string first_line(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

// Of a process with the recorder before it, if there is a recording to be made.
std::vector<std::string> environment(const std::vector<Variable>& added) {
  std::vector<std::string> variables;
  for (const auto& [name, value] : added) variables.push_back(name + "=" + value);  // the first of a name counts
  for (char** variable = environ; *variable; ++variable) variables.emplace_back(*variable);
  return variables;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (auto& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

constexpr auto memory = "/dev/shm";
constexpr std::uint64_t mebibyte = 1 << 20;

std::uint64_t bytes_below(const std::filesystem::path& directory) {
  std::uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory))
    if (entry.is_regular_file()) bytes += entry.file_size();
  return bytes;
}

// Of what stands there at one time: an image, what its recovery records, what is built of that, and what logs reserve
// ahead, which is a share of the place.
std::uint64_t bytes_wanted(const TrialOptions& options, std::uint64_t capacity) {
  const auto reserved = 2 * std::clamp(capacity / 64, mebibyte, 64 * mebibyte);
  return (options.images_at_once + 1) * (3 * bytes_below(options.root) + 2 * reserved + 16 * mebibyte);
}

// Images in memory, if it has the room: what is tried is the model's disk, not the machine's.
std::filesystem::path place_for_images(const TrialOptions& options) {
  const auto disk = std::filesystem::canonical(options.directory);
  if (::access(memory, W_OK | X_OK) != 0) return disk;
  const auto space = std::filesystem::space(memory);
  const auto wanted = bytes_wanted(options, space.capacity);
  if (space.available >= wanted) return memory;
  std::fprintf(
      stderr,
      "%s has %ju MiB free, and images may take %ju: they are made in %s, which is slower; free some of it, or "
      "make it larger (mount -o remount,size=...), or give fewer --jobs\n",
      memory, space.available / mebibyte, wanted / mebibyte, disk.c_str());
  return disk;
}

std::filesystem::path make_area(const TrialOptions& options) {
  auto pattern = (place_for_images(options) / "bobbin-images-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr)
    throw std::system_error(errno, std::generic_category(), "cannot make a directory like " + pattern);
  return std::filesystem::canonical(pattern);
}

}  // namespace

std::vector<Variable> recorded_by(const std::filesystem::path& recorder, const std::filesystem::path& recording,
                                  const std::filesystem::path& directory) {
  return {preloaded(recorder), {recording_variable, recording}, {recorded_directory_variable, directory}};
}

ImageTrials::ImageTrials(TrialOptions options, const Operations& operations)
    : options_(std::move(options)), operations_(operations), area_(make_area(options_)) {}

ImageTrials::~ImageTrials() {
  std::error_code ignored;
  std::filesystem::remove_all(area_, ignored);
}

std::filesystem::path ImageTrials::place(const ImageOfCut& image) const {
  return area_ / ("image-" + std::to_string(image.number));
}

void ImageTrials::build(const DiskModel& disk, ImageOfCut& image) const {
  const auto drawn = disk.image(image.seed);
  drawn.write(place(image) / "disk");
  image.torn = drawn.torn;
}

std::vector<ImageResult> ImageTrials::run(const ImageOfCut& image) const {
  const auto here = place(image);
  std::vector<ImageResult> results(1);
  results.front().torn = image.torn;
  if (image.second_images != 0) {
    cut_again(image, results);
  } else {
    try_once(image, results.front());
  }
  if (results.front().status != image_sound) {
    DiskModel disk(options_.root, options_.syncs);
    for (std::size_t i = 0; i < image.position; ++i) disk.take(operations_.all()[i]);
    results.front().what += " (power cut after operation " + std::to_string(image.position) + ", image seed " +
                            std::to_string(image.seed) + ")" + keep(disk, image.seed);
  }
  std::filesystem::remove_all(here);
  return results;
}

void ImageTrials::try_once(const ImageOfCut& image, ImageResult& result) const {
  const auto here = place(image);
  auto outcomes = options_.outcomes;
  auto seen = image.seen;
  if (image.witness) {
    result.by_gateway = true;
    const auto found =
        try_gateway({options_.gateway, here / "gateway", here / "disk" / log_directory, options_.settings, image.seed},
                    *image.witness);
    result.status = found.status;
    result.what = found.what;
    if (found.status != image_sound) return;
    // What it has acknowledged is in its log.
    auto all = read_outcomes(options_.outcomes);
    all.resize(seen++);
    all.push_back(found.accepted);
    append_outcomes(outcomes = here / "outcomes", all);
  }
  const auto checked = check({here / "disk" / log_directory, outcomes, seen, {}}, here / "said", {}, {});
  result.status = checked.status;
  result.what = checked.what;
}

// Checks the image, records what that does to the disk, and checks what cuts in the middle of it leave.
void ImageTrials::cut_again(const ImageOfCut& image, std::vector<ImageResult>& results) const {
  const auto here = place(image);
  DiskModel disk(here / "disk", options_.syncs);
  disk.begin_with_files();
  const auto recording = here / "recording";
  const auto checked = check({here / "disk" / log_directory, options_.outcomes, image.seen, here / "work"},
                             here / "said", recording, here / "disk");
  results.front().status = checked.status;
  results.front().what = checked.what;
  if (checked.status != image_sound) return;

  auto outcomes = read_outcomes(options_.outcomes);
  outcomes.resize(image.seen);
  for (auto& outcome : outcomes) outcome.recorded = 0;
  for (auto& outcome : read_outcomes(here / "work")) outcomes.push_back(std::move(outcome));
  append_outcomes(here / "outcomes", outcomes);

  const Operations operations(recording);
  std::mt19937_64 random(image.seed + 1);
  std::vector<std::size_t> positions(image.second_images);
  for (auto& position : positions)
    position = std::uniform_int_distribution<std::size_t>(0, operations.all().size())(random);
  std::sort(positions.begin(), positions.end());
  std::size_t taken = 0;
  for (const auto position : positions) {
    for (; taken < position; ++taken) disk.take(operations.all()[taken]);
    const auto seen = std::count_if(outcomes.begin(), outcomes.end(), [&](const Outcome& outcome) {
      return operations.count_within(outcome.recorded) <= position;
    });
    const auto seed = random();
    const auto drawn = disk.image(seed);
    drawn.write(here / "again");
    const auto again = check({here / "again" / log_directory, here / "outcomes", static_cast<std::size_t>(seen), {}},
                             here / "said", {}, {});
    results.push_back({again.status, drawn.torn, true, false, again.what});
    if (again.status != image_sound)
      results.back().what += " (second power cut after operation " + std::to_string(position) + " of the recovery, " +
                             "image seed " + std::to_string(seed) + ")" + keep(disk, seed);
  }
}

// The first broken image stays.
std::string ImageTrials::keep(const DiskModel& disk, std::uint64_t seed) const {
  if (kept_.exchange(true)) return {};
  const auto target = options_.directory / "broken-image";
  disk.image(seed).write(target);
  return "; the image is " + target.string();
}

ImageTrials::Checked ImageTrials::check(const ImageOrder& order, const std::filesystem::path& said,
                                        const std::filesystem::path& recording,
                                        const std::filesystem::path& recorded) const {
  std::vector<std::string> arguments{
      options_.self.string(), "power-image",           "--log",  order.log.string(),
      "--outcomes",           order.outcomes.string(), "--seen", std::to_string(order.seen)};
  if (!order.new_work.empty()) arguments.insert(arguments.end(), {"--new-work", order.new_work.string()});
  auto variables =
      environment(recording.empty() ? std::vector<Variable>() : recorded_by(options_.recorder, recording, recorded));
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, said.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  pid_t child = 0;
  const int error = ::posix_spawn(&child, options_.self.c_str(), &actions, nullptr, pointers(arguments).data(),
                                  pointers(variables).data());
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::system_error(error, std::generic_category(), "cannot run " + options_.self.string());
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) <= image_corrupt) return {WEXITSTATUS(status), first_line(said)};
  return {image_corrupt, "the process that opened it ended with " + to_string(end_of(status))};
}

}  // namespace bobbin::drill
