#include "tools/drill/power/power_drill.hpp"

#include "tools/drill/dice.hpp"
#include "tools/drill/load.hpp"
#include "tools/drill/power/image_trial.hpp"
#include "tools/drill/stage.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <deque>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>

namespace bobbin::drill {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds listens_within{20'000};
constexpr milliseconds looks_for_a_call{1'000};
constexpr std::size_t failing_sync_max = 120;
constexpr milliseconds window{300};
constexpr std::size_t images_a_cut = 3;
constexpr std::size_t images_a_second_cut = 4;
// Operations with which a log is created, cut more often than their number asks for.
constexpr std::size_t first_operations = 80;
constexpr std::size_t percent_first = 10;  // of all cuts
constexpr std::size_t percent_seen = 25;
constexpr std::size_t percent_syncing = 40;
// The real gateway opens every n-th image, which takes its time, and some of a short run as well.
constexpr std::size_t by_gateway_every_max = 200;
constexpr std::size_t by_gateway_at_least = 10;

StageOptions stage_options(const PowerOptions& options) {
  StageOptions stage;
  stage.gateway = options.gateway;
  stage.directory = std::filesystem::canonical(options.directory) / "stage";
  stage.seed = options.seed;
  stage.settings.window_length = window;
  stage.settings.messages_max = 12;
  return stage;
}

Promise promise_of(int status) {
  if (status == image_lost) return Promise::kept_messages;
  return status == image_doubled ? Promise::once_only : Promise::sound_log;
}

// How a life of the gateway ends; what the next one finds in the page cache differs.
enum class Death { within_a_call, of_failed_sync, at_any_moment };
constexpr std::uint32_t deaths = 3;

class PowerDrill {
 public:
  explicit PowerDrill(const PowerOptions& options)
      : options_(options),
        dice_(options.seed),
        recording_(std::filesystem::canonical(options.directory) / "recording"),
        outcomes_file_(std::filesystem::canonical(options.directory) / "outcomes") {}

  PowerReport run() {
    const auto begun = std::chrono::steady_clock::now();
    try {
      record();
      cut();
    } catch (const std::exception& error) {
      report_.trouble = error.what();
    }
    report_.time = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begun);
    return report_;
  }

 private:
  // The gateway under load, over its lives.
  void record() {
    if (!std::filesystem::exists(options_.recorder))
      throw std::runtime_error("there is no recorder at " + options_.recorder.string() +
                               ": builds with sanitizers have none; name one with --recorder");
    if (std::filesystem::exists(recording_))
      throw std::runtime_error(options_.directory.string() +
                               " holds the recording of another run; give a new directory");
    const auto stage_settings = stage_options(options_);
    root_ = stage_settings.directory;
    std::filesystem::create_directories(root_);
    Stage stage(stage_settings);
    stage.receiver().set_faults({.refused = 0.03, .forgot = 0.02, .slow = 0.1});
    stage.on_acknowledged([this](const SentMessage& message) {
      see({Outcome::Kind::accepted, recording_length(recording_), message.message_id, message.text});
    });
    stage.receiver().on_used([this](const ReceivedBatch& batch) {
      see({Outcome::Kind::sent, recording_length(recording_), batch.key, batch.body});
    });
    Load load(stage, {}, options_.seed);
    for (std::uint32_t life = 0; life < options_.lives; ++life) live(stage, load, static_cast<Death>(life % deaths));
    append_outcomes(outcomes_file_, outcomes_);
    sent_ = stage.sent();
  }

  void live(Stage& stage, Load& load, Death death) {
    const auto failing = death == Death::of_failed_sync ? 1 + dice_.any_of(failing_sync_max) : 0;
    {
      auto variables = recorded_by(options_.recorder, recording_, root_);
      if (failing != 0) variables.push_back({failing_sync_variable, std::to_string(failing)});
      const ChildEnvironment environment(std::move(variables));
      stage.start_gateway();
    }
    stage.let_gateway_end(failing != 0);
    const auto has_ended = [&] { return stage.gateway().ended(); };
    if (!stage.run_until([&] { return has_ended() || stage.gateway().ports().all_open(); }, listens_within))
      throw std::runtime_error("the gateway does not listen; it said:\n" + stage.gateway().log_of_life());
    load.run(options_.rate, options_.load / options_.lives, has_ended);
    if (death == Death::within_a_call)
      load.run(options_.rate, looks_for_a_call, [this] { return is_within_a_call(recording_); });
    if (has_ended())
      expect_loud_end(stage);
    else
      stage.gateway().kill_hard();
    settle_after_kill(recording_);
  }

  // P10. What it leaves is looked at in any case.
  void expect_loud_end(Stage& stage) {
    const auto end = stage.gateway().wait_for_end(listens_within);
    ++report_.failed_syncs;
    if (!end.signalled && end.code != 0) return;
    report_.trouble = "a sync failed, and the gateway did not end with an error: it ended with " + to_string(end) +
                      "; it said:\n" + stage.gateway().log_of_life();
  }

  void see(Outcome outcome) { outcomes_.push_back(std::move(outcome)); }

  void cut() {
    const auto& operations = operations_.emplace(recording_);
    std::fprintf(stderr, "recorded %zu operations, %.1f MB; %zu acknowledgements and batches were seen\n",
                 operations.all().size(), static_cast<double>(recording_length(recording_)) / 1e6, outcomes_.size());
    if (operations.all().empty() || outcomes_.empty())
      throw std::runtime_error("nothing was recorded: is " + options_.recorder.string() + " the recorder?");
    for (const auto& outcome : outcomes_) seen_at_.push_back(operations.count_within(outcome.recorded));
    for (std::size_t i = 0; i < operations.all().size(); ++i)
      if (operations.all()[i].head.op == Op::sync) syncs_.push_back(i + 1);
    TrialOptions how{options_.self,     options_.gateway,   stage_options(options_).settings,
                     options_.recorder, options_.directory, root_,
                     outcomes_file_};
    how.images_at_once = options_.jobs;
    if (options_.lying_disk) how.syncs = DiskModel::Syncs::ignored;
    trials_.emplace(how, operations);
    DiskModel disk(root_, how.syncs);
    std::size_t taken = 0;
    for (const auto position : positions(operations)) {
      if (!report_.found.empty()) break;
      for (; taken < position; ++taken) disk.take(operations.all()[taken]);
      ++report_.cuts;
      for (std::size_t i = 0; i < images_a_cut; ++i) try_one(disk, position);
    }
    while (!running_.empty()) collect();
    if (!report_.found.empty()) return;
    for (; taken < operations.all().size(); ++taken) disk.take(operations.all()[taken]);
    if (const auto name = disk.untold("data"); !name.empty())
      throw std::runtime_error("the recording does not tell all that happened to " + (root_ / name).string() +
                               ": it was changed in a way that the recorder does not see");
  }

  void try_one(const DiskModel& disk, std::size_t position) {
    const auto number = ++numbered_;
    const bool again = options_.second_cut_every != 0 && number % options_.second_cut_every == 0;
    const auto seen = std::upper_bound(seen_at_.begin(), seen_at_.end(), position) - seen_at_.begin();
    ImageOfCut image{number, position, dice_.seed(), static_cast<std::size_t>(seen), again ? images_a_second_cut : 0};
    const auto every = std::clamp<std::size_t>(options_.images / by_gateway_at_least, 1, by_gateway_every_max);
    if (!again && (number - 1) % every == 0) image.witness = witness(image.seen);
    trials_->build(disk, image);
    running_.push_back(std::async(std::launch::async, [this, image] { return trials_->run(image); }));
    if (running_.size() >= options_.jobs) collect();
  }

  // Of the first outcomes that were seen.
  std::shared_ptr<const Witness> witness(std::size_t seen) const {
    auto known = std::make_shared<Witness>();
    std::map<std::string, std::string> ids;  // by text
    for (std::size_t i = 0; i < seen; ++i) {
      const auto& outcome = outcomes_[i];
      if (outcome.kind == Outcome::Kind::accepted)
        ids[outcome.text] = outcome.id;
      else
        known->batches.push_back({outcome.id, outcome.text, {}, 1, false});
    }
    known->sent = sent_;
    for (auto& message : known->sent) {
      const auto id = ids.find(message.text);
      message.answered = id != ids.end();
      message.message_id = message.answered ? id->second : std::string();
      message.differing_ids.clear();
    }
    return known;
  }

  void collect() {
    const auto results = running_.front().get();
    running_.pop_front();
    for (const auto& result : results) {
      ++report_.images;
      report_.torn += result.torn;
      report_.second_cuts += result.second;
      report_.by_gateway += result.by_gateway;
      report_.recovered += result.status == image_sound;
      report_.lost += result.status == image_lost;
      report_.doubled += result.status == image_doubled;
      report_.corrupt += result.status == image_corrupt;
      if (result.status != image_sound) report_.found.push_back({promise_of(result.status), result.what});
    }
  }

  // After so many operations the power goes; ascending.
  std::vector<std::size_t> positions(const Operations& operations) {
    std::vector<std::size_t> drawn;
    const auto every = options_.second_cut_every;
    const double second = every == 0 ? 0.0 : static_cast<double>(images_a_second_cut) / every;
    const auto count = static_cast<std::size_t>(
        std::ceil(static_cast<double>(options_.images) / (static_cast<double>(images_a_cut) * (1.0 + second))));
    for (std::size_t i = 0; i < count; ++i) drawn.push_back(draw_position(operations));
    std::sort(drawn.begin(), drawn.end());
    return drawn;
  }

  // Some moments lie in the creation of the log; some are those at which something had just been seen, when whoever
  // says it too early is found out; many are those at which a sync has begun, when most is uncertain; the others are
  // drawn from all.
  std::size_t draw_position(const Operations& operations) {
    const auto drawn = dice_.any_of(100);
    if (drawn < percent_first) return dice_.any_of(std::min(first_operations, operations.all().size()) + 1);
    if (drawn < percent_first + percent_seen) return seen_at_[dice_.any_of(seen_at_.size())];
    if (drawn < percent_first + percent_seen + percent_syncing && !syncs_.empty())
      return syncs_[dice_.any_of(syncs_.size())];
    return dice_.any_of(operations.all().size() + 1);
  }

  const PowerOptions& options_;
  Dice dice_;
  std::filesystem::path recording_;
  std::filesystem::path outcomes_file_;
  std::filesystem::path root_;
  SentMessages sent_;                 // in all
  std::vector<Outcome> outcomes_;     // in the order in which they were seen
  std::vector<std::size_t> seen_at_;  // of each, how many operations had been recorded
  std::vector<std::size_t> syncs_;    // the positions behind their beginnings
  std::size_t numbered_ = 0;
  std::optional<Operations> operations_;
  std::optional<ImageTrials> trials_;
  std::deque<std::future<std::vector<ImageResult>>> running_;  // gone before what they use
  PowerReport report_;
};

}  // namespace

std::string summary(const PowerReport& report) {
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, "%.1f", std::chrono::duration<double>(report.time).count());
  return "images=" + std::to_string(report.images) + " cuts=" + std::to_string(report.cuts) +
         " torn=" + std::to_string(report.torn) + " recovered=" + std::to_string(report.recovered) +
         " lost=" + std::to_string(report.lost) + " doubled=" + std::to_string(report.doubled) +
         " corrupt=" + std::to_string(report.corrupt) + " second_cuts=" + std::to_string(report.second_cuts) +
         " by_gateway=" + std::to_string(report.by_gateway) + " failed_syncs=" + std::to_string(report.failed_syncs) +
         " seconds=" + seconds;
}

PowerReport run_power_drill(const PowerOptions& options) { return PowerDrill(options).run(); }

}  // namespace bobbin::drill
