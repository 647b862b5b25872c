#include "tools/drill/clock/clock_drill.hpp"

#include "tools/drill/clock/log_time_bounds.hpp"
#include "tools/drill/clock/wall_clock.hpp"
#include "tools/drill/dice.hpp"
#include "tools/drill/load.hpp"
#include "tools/drill/stage.hpp"

#include <algorithm>
#include <cstdio>
#include <stdexcept>

namespace bobbin::drill {

namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;

constexpr milliseconds listens_within{20'000};
constexpr milliseconds killable_within{30'000};
constexpr milliseconds end_within{30'000};

StageOptions stage_options(const ClockOptions& options) {
  StageOptions stage;
  stage.gateway = options.gateway;
  stage.directory = options.directory;
  stage.seed = options.seed;
  stage.settings.window_length = options.window;
  stage.settings.messages_max = 12;
  return stage;
}

class ClockDrill {
 public:
  explicit ClockDrill(const ClockOptions& options)
      : options_(options),
        dice_(options.seed),
        stage_(stage_options(options)),
        load_(stage_, {}, options.seed),
        clock_(options.directory / "wall-clock") {
    stage_.receiver().set_faults({.refused = 0.03, .forgot = 0.02, .slow = 0.15});
  }

  ClockReport run() {
    try {
      if (!std::filesystem::exists(options_.clock_library))
        throw std::runtime_error("there is no clock library at " + options_.clock_library.string() +
                                 ": builds with sanitizers have none; name one with --library");
      start();
      for (; report_.rounds < options_.rounds; ++report_.rounds) play_round();
      finish();
    } catch (const std::exception& error) {
      report_.trouble = error.what();
    }
    write_journals(options_.directory, stage_.sent(), stage_.receiver().batches());
    report_.verdict = stage_.check(bounds_.in_log_time(stage_.sent()), stage_.receiver().batches());
    if (report_.trouble.empty() && !stage_.receiver().complaints().empty())
      report_.trouble = "the application got " + stage_.receiver().complaints().front();
    return report_;
  }

 private:
  void start() {
    const ChildEnvironment environment(clock_.given_by(options_.clock_library));
    stage_.start_gateway();
    if (!stage_.run_until([this] { return stage_.gateway().ports().all_open(); }, listens_within))
      throw std::runtime_error("the gateway does not listen; it said:\n" + stage_.gateway().log_of_life());
  }

  void play_round() {
    load_.run(options_.rate, dice_.between(milliseconds(50), milliseconds(400)));
    jump();
    bounds_.stepped(wall_now(), offset_);
    load_.run(options_.rate, dice_.between(milliseconds(50), milliseconds(400)));
    if (dice_.one_in(3)) die_and_return();
  }

  void die_and_return() {
    load_.run_until_killable(options_.rate, killable_within);
    stage_.gateway().kill_hard();
    const auto killed = wall_now();
    ++report_.deaths;
    if (dice_.one_in(2)) stage_.run_for(dice_.between(milliseconds(0), options_.window));
    if (dice_.one_in(2)) jump();
    start();
    bounds_.reopened(killed, wall_now(), offset_);
  }

  // Beyond all that was, or anywhere before it.
  void jump() {
    if (dice_.one_in(2)) {
      offset_ = furthest_ = furthest_ + dice_.between(hours(1), hours(12));
      ++report_.forward;
    } else {
      offset_ = furthest_ - dice_.between(hours(1), hours(48));
      ++report_.back;
    }
    clock_.set(offset_);
  }

  void finish() {
    if (report_.forward == 0 || report_.back == 0)
      throw std::runtime_error("the clock has not jumped both ways: give more rounds");
    stage_.receiver().set_faults({});
    const bool answered = stage_.drain(options_.patience);
    stage_.gateway().ask_to_end();
    const auto end = stage_.gateway().wait_for_end(end_within);
    if (!answered) throw std::runtime_error("some messages were never answered");
    if (!end.clean()) throw std::runtime_error("asked to end, the gateway did so with " + std::to_string(end.code));
  }

  const ClockOptions& options_;
  Dice dice_;
  Stage stage_;
  Load load_;
  WallClock clock_;
  LogTimeBounds bounds_;
  milliseconds offset_{};
  milliseconds furthest_{};
  ClockReport report_;
};

}  // namespace

std::string summary(const ClockReport& report) {
  const auto& verdict = report.verdict;
  return "rounds=" + std::to_string(report.rounds) + " forward=" + std::to_string(report.forward) +
         " back=" + std::to_string(report.back) + " deaths=" + std::to_string(report.deaths) +
         " accepted=" + std::to_string(verdict.accepted) + " delivered=" + std::to_string(verdict.delivered) +
         " lost=" + std::to_string(verdict.lost) + " doubled=" + std::to_string(verdict.doubled) +
         " split=" + std::to_string(verdict.split);
}

ClockReport run_clock_drill(const ClockOptions& options) { return ClockDrill(options).run(); }

}  // namespace bobbin::drill
