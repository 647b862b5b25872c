#include "tools/drill/disk_drill.hpp"

#include "tools/drill/dice.hpp"
#include "tools/drill/load.hpp"
#include "tools/drill/small_disk.hpp"
#include "tools/drill/stage.hpp"

#include <algorithm>
#include <cstdio>
#include <functional>
#include <stdexcept>

namespace bobbin::drill {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds refused_within{30'000};
constexpr milliseconds drained_within{30'000};
constexpr milliseconds resumed_within{30'000};
constexpr milliseconds end_within{30'000};

StageOptions stage_options(const DiskOptions& options, const std::filesystem::path& directory, const SmallDisk& disk,
                           std::uint64_t seed) {
  StageOptions stage;
  stage.gateway = options.gateway;
  stage.directory = directory;
  stage.data_directory = disk.path() / "data";
  stage.connections = options.connections;
  stage.seed = seed;
  stage.settings.window_length = options.window;
  stage.settings.fibers_max = options.fibers_max;
  stage.settings.messages_max = 100;
  return stage;
}

LoadOptions load_options(const DiskOptions& options) {
  LoadOptions load;
  load.senders = options.senders;
  return load;
}

// One disk, from its first message to its last.
class DiskDrill {
 public:
  DiskDrill(const DiskOptions& options, const std::filesystem::path& directory, std::uint64_t seed)
      : options_(options),
        directory_(directory),
        dice_(seed),
        disk_(directory, options.disk_bytes),
        stage_(stage_options(options, directory, disk_, seed)),
        load_(stage_, load_options(options), seed) {
    stage_.receiver().set_faults({.refused = 0.03, .forgot = 0.02, .slow = 0.15});
  }

  void run(std::uint32_t rounds, DiskReport& report) {
    try {
      stage_.start_gateway();
      stage_.gateway().wait_for_ports(resumed_within);
      for (std::uint32_t round = 0; round < rounds; ++round, ++report.rounds) play_round(report.rounds + 1);
      report.trouble = finish();
    } catch (const std::exception& error) {
      report.trouble = error.what();
    }
    write_journals(directory_, stage_.sent(), stage_.receiver().batches());
    report.verdict += stage_.check();
    report.refused += stage_.refusals();
    if (report.trouble.empty() && !stage_.receiver().complaints().empty())
      report.trouble = "the application got " + stage_.receiver().complaints().front();
  }

 private:
  void play_round(std::uint32_t round) {
    load_for(dice_.between(milliseconds(0), milliseconds(600)));
    const auto refused = stage_.refusals();
    // Mostly to the last block; else to where the log's next demand fills it.
    disk_.fill(dice_.one_in(3) ? dice_.up_to(2 << 20) : 0);
    if (dice_.one_in(4)) die_and_return();
    load_until([&] { return stage_.refusals() > refused; }, refused_within, "nothing was refused on a full disk");
    for (int deaths = dice_.one_in(2) ? 1 + dice_.one_in(2) : 0; deaths > 0; --deaths) {
      load_for(dice_.between(milliseconds(0), milliseconds(300)));
      die_and_return();
    }
    const bool drains = dice_.one_in(2);
    if (drains)
      load_until([this] { return stage_.undelivered() == 0; }, drained_within,
                 "what was accepted before the disk was full did not drain");
    disk_.empty();
    if (dice_.one_in(4)) die_and_return();
    const auto accepted = answered();
    load_until([&] { return answered() > accepted; }, resumed_within, "nothing was accepted again on an empty disk");
    tell(round, refused, drains);
  }

  // The next life must begin on the disk as it is.
  void die_and_return() {
    stage_.gateway().kill_hard();
    ++deaths_;
    if (dice_.one_in(3)) stage_.run_for(dice_.between(milliseconds(0), options_.window));
    stage_.start_gateway();
    if (!stage_.run_until([this] { return stage_.gateway().ports().all_open(); }, resumed_within))
      throw std::runtime_error("the gateway does not start: " + stage_.gateway().log_of_life());
  }

  std::size_t answered() const {
    return static_cast<std::size_t>(std::count_if(stage_.sent().begin(), stage_.sent().end(),
                                                  [](const SentMessage& message) { return message.answered; }));
  }

  void load_for(milliseconds time) { load_.run(options_.rate, time); }

  void load_until(const std::function<bool()>& condition, milliseconds limit, const char* otherwise) {
    if (!load_.run(options_.rate, limit, condition)) throw std::runtime_error(otherwise);
  }

  std::string finish() {
    load_for(options_.window);
    stage_.receiver().set_faults({});
    const bool all_answered = stage_.drain(options_.patience);
    stage_.gateway().ask_to_end();
    const auto end = stage_.gateway().wait_for_end(end_within);
    if (!all_answered) return "some messages were never answered";
    if (!end.clean()) return "asked to end, the gateway did so with " + std::to_string(end.code);
    return {};
  }

  void tell(std::uint32_t round, std::uint64_t refused_before, bool drained) {
    const auto every = std::max(1u, options_.rounds / 20);
    if (round % every != 0) return;
    std::fprintf(stderr,
                 "round %u of %u: %llu refusals, %s; so far %zu accepted, %zu batches, %u deaths on this disk\n", round,
                 options_.rounds, static_cast<unsigned long long>(stage_.refusals() - refused_before),
                 drained ? "drained while full" : "emptied before all was drained", answered(),
                 stage_.receiver().batches().size(), deaths_);
  }

  const DiskOptions& options_;
  std::filesystem::path directory_;
  Dice dice_;
  SmallDisk disk_;
  Stage stage_;
  Load load_;
  unsigned deaths_ = 0;
};

}  // namespace

std::string summary(const DiskReport& report) {
  const auto& verdict = report.verdict;
  return "rounds=" + std::to_string(report.rounds) + " accepted=" + std::to_string(verdict.accepted) +
         " delivered=" + std::to_string(verdict.delivered) + " lost=" + std::to_string(verdict.lost) +
         " doubled=" + std::to_string(verdict.doubled) + " split=" + std::to_string(verdict.split) +
         " refused=" + std::to_string(report.refused);
}

DiskReport run_disk_drill(const DiskOptions& options) {
  DiskReport report;
  for (std::uint32_t disk = 1; report.rounds < options.rounds; ++disk) {
    const auto directory = options.directory / ("disk-" + std::to_string(disk));
    std::filesystem::create_directories(directory);
    DiskDrill(options, directory, options.seed + disk * 1'000'003)
        .run(std::min(options.rounds_a_disk, options.rounds - report.rounds), report);
    if (!report.trouble.empty() || !report.verdict.kept()) break;
    std::filesystem::remove(directory / "disk.img");
  }
  return report;
}

}  // namespace bobbin::drill
