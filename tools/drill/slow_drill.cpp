#include "tools/drill/slow_drill.hpp"

#include "tools/drill/load.hpp"
#include "tools/drill/stage.hpp"

#include <algorithm>
#include <stdexcept>

namespace bobbin::drill {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds end_within{30'000};
constexpr unsigned statuses[] = {500, 503, 429, 408};

StageOptions stage_options(const SlowOptions& options) {
  StageOptions stage;
  stage.gateway = options.gateway;
  stage.directory = options.directory;
  stage.seed = options.seed;
  stage.relayed = true;
  stage.settings.window_length = milliseconds(300);
  stage.settings.messages_max = 12;
  // Requests that hang are given up within the trouble, and come again.
  stage.settings.delivery_timeout = options.trouble / 3;
  return stage;
}

class SlowDrill {
 public:
  explicit SlowDrill(const SlowOptions& options)
      : options_(options), stage_(stage_options(options)), load_(stage_, {}, options.seed) {}

  SlowReport run() {
    try {
      stage_.start_gateway();
      for (; report_.rounds < options_.rounds; ++report_.rounds) play_round();
      finish();
    } catch (const std::exception& error) {
      report_.trouble = error.what();
    }
    write_journals(options_.directory, stage_.sent(), stage_.receiver().batches());
    report_.verdict = stage_.check();
    for (const auto& batch : stage_.receiver().batches()) report_.repeated += batch.times > 1;
    if (report_.trouble.empty() && !stage_.receiver().complaints().empty())
      report_.trouble = "the application got " + stage_.receiver().complaints().front();
    return report_;
  }

 private:
  void play_round() {
    auto& receiver = stage_.receiver();
    receiver.set_faults({.forgot = 0.4, .slow = 0.4, .slow_max = options_.trouble});
    load_for(options_.trouble);
    receiver.hang(true);
    load_for(options_.trouble);
    report_.held += receiver.held();
    receiver.drop_every_other_held();
    receiver.hang(false);  // uses the others now, those that were given up as well
    receiver.answer_always(statuses[report_.rounds % std::size(statuses)]);
    load_for(options_.trouble);
    receiver.answer_always(0);
    receiver.set_faults({.forgot = 0.2});
    stage_.relay().answer_twice(true);
    load_for(options_.trouble);
    stage_.relay().answer_twice(false);
    receiver.set_faults({});
    load_for(options_.trouble);
  }

  void finish() {
    report_.doubled_answers = stage_.relay().doubled();
    if (report_.held == 0 || report_.doubled_answers == 0)
      throw std::runtime_error("no request hung, or no answer came twice: not everything was tried");
    const bool answered = stage_.drain(options_.patience);
    stage_.gateway().ask_to_end();
    const auto end = stage_.gateway().wait_for_end(end_within);
    if (!answered) throw std::runtime_error("some messages were never answered");
    if (!end.clean()) throw std::runtime_error("asked to end, the gateway did so with " + std::to_string(end.code));
  }

  void load_for(milliseconds time) { load_.run(options_.rate, time); }

  const SlowOptions& options_;
  Stage stage_;
  Load load_;
  SlowReport report_;
};

}  // namespace

std::string summary(const SlowReport& report) {
  const auto& verdict = report.verdict;
  return "rounds=" + std::to_string(report.rounds) + " accepted=" + std::to_string(verdict.accepted) +
         " delivered=" + std::to_string(verdict.delivered) + " repeated=" + std::to_string(report.repeated) +
         " held=" + std::to_string(report.held) + " answered_twice=" + std::to_string(report.doubled_answers) +
         " lost=" + std::to_string(verdict.lost) + " doubled=" + std::to_string(verdict.doubled) +
         " split=" + std::to_string(verdict.split);
}

SlowReport run_slow_drill(const SlowOptions& options) { return SlowDrill(options).run(); }

}  // namespace bobbin::drill
