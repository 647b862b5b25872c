#include "tools/drill/kill_drill.hpp"

#include "tools/drill/child_environment.hpp"
#include "tools/drill/dice.hpp"
#include "tools/drill/kill/kill_point.hpp"
#include "tools/drill/load.hpp"
#include "tools/drill/stage.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <optional>
#include <stdexcept>

namespace bobbin::drill {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds killable_within{30'000};
constexpr milliseconds end_within{30'000};
constexpr std::uint32_t early_calls = 40;  // in an open and the first commits after it
constexpr std::uint32_t late_calls = 1'500;

StageOptions stage_options(const KillOptions& options) {
  StageOptions stage;
  stage.gateway = options.gateway;
  stage.directory = options.directory;
  stage.connections = options.connections;
  stage.seed = options.seed;
  stage.settings.window_length = options.window;
  stage.settings.fibers_max = options.fibers_max;
  // Small enough that some windows close by count.
  stage.settings.messages_max = 12;
  return stage;
}

LoadOptions load_options(const KillOptions& options) {
  LoadOptions load;
  load.senders = options.senders;
  return load;
}

std::string words_of(const KillPoint& point) {
  const char* call = point.call == KilledCall::write ? "write" : point.call == KilledCall::sync ? "sync" : "send";
  return std::string(point.after ? "after" : "before") + " its " + call + " number " + std::to_string(point.number);
}

class KillDrill {
 public:
  explicit KillDrill(const KillOptions& options)
      : options_(options),
        dice_(options.seed),
        stage_(stage_options(options)),
        load_(stage_, load_options(options), options.seed) {
    stage_.receiver().set_faults({.refused = 0.03, .forgot = 0.02, .slow = 0.15});
  }

  KillReport run() {
    KillReport report;
    try {
      for (; report.rounds < options_.rounds; ++report.rounds) report.at_calls += play_round(report.rounds + 1);
      stage_.start_gateway();
      report.trouble = finish();
    } catch (const std::exception& error) {
      report.trouble = error.what();
    }
    write_journals(options_.directory, stage_.sent(), stage_.receiver().batches());
    report.verdict = stage_.check();
    if (report.trouble.empty() && !stage_.receiver().complaints().empty())
      report.trouble = "the application got " + stage_.receiver().complaints().front();
    return report;
  }

 private:
  // One life. Answers whether it ended at a call.
  bool play_round(std::uint32_t round) {
    const auto point = draw_point();
    start(point);
    const auto until_kill = moment_of_death();
    const bool died = load_.run(options_.rate, until_kill, [this] { return stage_.gateway().ended(); });
    if (died) {
      expect_killed();
    } else {
      // The call may come yet.
      load_.run_until_killable(options_.rate, killable_within, [this] { return stage_.gateway().ended(); });
      stage_.gateway().kill_hard();
    }
    const auto down = downtime();
    stage_.run_for(down);
    tell(round, died ? words_of(*point) : std::to_string(until_kill.count()) + " ms after its start", down);
    return died;
  }

  void start(const std::optional<KillPoint>& point) {
    std::vector<Variable> variables;
    if (point) variables = {preloaded(options_.killer), {kill_point_variable, text_of(*point)}};
    const ChildEnvironment environment(std::move(variables));
    stage_.let_gateway_end(point.has_value());
    stage_.start_gateway();
  }

  void expect_killed() {
    const auto end = stage_.gateway().wait_for_end(end_within);
    stage_.let_gateway_end(false);
    if (end.signalled && end.code == SIGKILL) return;
    throw std::runtime_error("the gateway was to be killed, and ended with " + to_string(end) + "; it said:\n" +
                             stage_.gateway().log_of_life());
  }

  // Half of the lives end at a call, if it comes in time: some while they recover, some in the middle of load.
  std::optional<KillPoint> draw_point() {
    if (options_.killer.empty() || dice_.one_in(2)) return std::nullopt;
    constexpr KilledCall calls[]{KilledCall::write, KilledCall::sync, KilledCall::send};
    KillPoint point;
    point.call = calls[dice_.any_of(std::size(calls))];
    point.number = static_cast<std::uint32_t>(1 + dice_.any_of(dice_.one_in(2) ? early_calls : late_calls));
    point.after = dice_.one_in(2);
    return point;
  }

  // Some lives end before or while the log is recovered, most under load.
  milliseconds moment_of_death() {
    return dice_.one_in(4) ? dice_.between(milliseconds(0), milliseconds(80))
                           : dice_.between(milliseconds(80), milliseconds(1'500));
  }
  // Some windows end while nobody is there to close them.
  milliseconds downtime() {
    return dice_.one_in(3) ? dice_.between(milliseconds(0), options_.window * 3 / 2) : milliseconds(0);
  }

  void load_for(milliseconds time) { load_.run(options_.rate, time); }

  std::string finish() {
    load_for(options_.window);
    stage_.receiver().set_faults({});
    const bool answered = stage_.drain(options_.patience);
    stage_.gateway().ask_to_end();
    const auto end = stage_.gateway().wait_for_end(end_within);
    if (!answered) return "some messages were never answered";
    if (!end.clean()) return "asked to end, the gateway did so with " + std::to_string(end.code);
    return {};
  }

  void tell(std::uint32_t round, const std::string& when, milliseconds down) {
    const auto every = std::max(1u, options_.rounds / 20);
    if (round % every != 0) return;
    const auto answered = std::count_if(stage_.sent().begin(), stage_.sent().end(),
                                        [](const SentMessage& message) { return message.answered; });
    std::fprintf(stderr, "round %u of %u: killed %s, down %lld ms; so far %lld accepted, %zu batches\n", round,
                 options_.rounds, when.c_str(), static_cast<long long>(down.count()), static_cast<long long>(answered),
                 stage_.receiver().batches().size());
  }

  const KillOptions& options_;
  Dice dice_;
  Stage stage_;
  Load load_;
};

}  // namespace

std::string summary(const KillReport& report) {
  const auto& verdict = report.verdict;
  return "rounds=" + std::to_string(report.rounds) + " accepted=" + std::to_string(verdict.accepted) +
         " delivered=" + std::to_string(verdict.delivered) + " lost=" + std::to_string(verdict.lost) +
         " doubled=" + std::to_string(verdict.doubled) + " split=" + std::to_string(verdict.split) +
         " at_calls=" + std::to_string(report.at_calls);
}

KillReport run_kill_drill(const KillOptions& options) { return KillDrill(options).run(); }

}  // namespace bobbin::drill
