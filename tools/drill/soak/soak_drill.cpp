#include "tools/drill/soak/soak_drill.hpp"

#include "tools/drill/load.hpp"
#include "tools/drill/stage.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <stdexcept>

namespace bobbin::drill {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr seconds retention{120};  // the least that the gateway takes
constexpr std::uint64_t judged_from_seconds = 4 * retention.count();
constexpr std::uint64_t samples = 400;
constexpr seconds stretch{60};  // then all is drained, judged and forgotten
constexpr milliseconds end_within{30'000};
constexpr double mib = 1 << 20;

StageOptions stage_options(const SoakOptions& options) {
  StageOptions stage;
  stage.gateway = options.gateway;
  stage.directory = options.directory;
  stage.seed = options.seed;
  stage.settings.messages_max = 12;
  stage.settings.engine_lines = "retention = \"" + std::to_string(retention.count()) + "s\"\n";
  return stage;
}

// Memory that is the process's own, without what the page cache could give back.
double anonymous_bytes(pid_t process) {
  std::ifstream status("/proc/" + std::to_string(process) + "/status");
  for (std::string word; status >> word;)
    if (double kib = 0; word == "RssAnon:" && status >> kib) return kib * 1'024;
  throw std::runtime_error("cannot read the memory of process " + std::to_string(process));
}

class SoakDrill {
 public:
  explicit SoakDrill(const SoakOptions& options)
      : options_(options), stage_(stage_options(options)), load_(stage_, {}, options.seed) {
    report_.curves = {{"file, MiB", {}}, {"anonymous memory, MiB", {}}};
  }

  SoakReport run() {
    const auto begun = steady_clock::now();
    try {
      stage_.start_gateway();
      stage_.gateway().wait_for_ports(end_within);
      const auto end = begun + seconds(options_.seconds);
      while (steady_clock::now() < end && report_.verdict.kept()) play_stretch(end);
      finish();
    } catch (const std::exception& error) {
      report_.trouble = error.what();
      write_journals(options_.directory, stage_.sent(), stage_.receiver().batches());
    }
    report_.seconds =
        static_cast<std::uint64_t>(std::chrono::duration_cast<seconds>(steady_clock::now() - begun).count());
    try {
      show();
    } catch (const std::exception& error) {
      if (report_.trouble.empty()) report_.trouble = error.what();
    }
    judge_growth();
    return report_;
  }

 private:
  void play_stretch(steady_clock::time_point end) {
    const auto stretch_end = std::min(end, steady_clock::now() + stretch);
    const auto interval = std::max(milliseconds(options_.seconds * 1'000 / samples), milliseconds(20));
    stage_.receiver().set_faults({.refused = 0.03, .forgot = 0.02, .slow = 0.1});
    while (steady_clock::now() < stretch_end) {
      const auto left = std::chrono::ceil<milliseconds>(stretch_end - steady_clock::now());
      load_.run(options_.rate, std::min(interval, left));
      sample();
    }
    stage_.receiver().set_faults({});
    if (!stage_.drain(options_.patience)) throw std::runtime_error("some messages were never answered");
    judge_stretch();
  }

  void sample() {
    const auto file = stage_.data_directory() / "data.mdb";
    report_.curves[0].values.push_back(static_cast<double>(std::filesystem::file_size(file)) / mib);
    report_.curves[1].values.push_back(anonymous_bytes(stage_.gateway().pid()) / mib);
  }

  void judge_stretch() {
    report_.verdict += stage_.check();
    if (!stage_.receiver().complaints().empty())
      throw std::runtime_error("the application got " + stage_.receiver().complaints().front());
    if (!report_.verdict.kept()) return write_journals(options_.directory, stage_.sent(), stage_.receiver().batches());
    load_.forget();
    stage_.forget();
  }

  void finish() {
    stage_.gateway().ask_to_end();
    const auto end = stage_.gateway().wait_for_end(end_within);
    if (!end.clean()) throw std::runtime_error("asked to end, the gateway did so with " + std::to_string(end.code));
  }

  void show() const {
    for (const auto& curve : report_.curves)
      if (!curve.values.empty()) std::printf("%s\n", plot(curve).c_str());
    write_svg(options_.svg, report_.curves, static_cast<double>(report_.seconds));
    std::fprintf(stderr, "the plots are in %s, too\n", options_.svg.c_str());
  }

  void judge_growth() {
    report_.judged = report_.seconds >= judged_from_seconds && report_.trouble.empty();
    if (!report_.judged) return;
    for (const auto& curve : report_.curves)
      if (!has_plateau(curve))
        report_.verdict.broken.push_back(
            {Promise::bounded, curve.name + ": it was " + std::to_string(curve.values.back()) +
                                   " at the end, and growing; see " + options_.svg.string()});
  }

  const SoakOptions& options_;
  Stage stage_;
  Load load_;
  SoakReport report_;
};

std::string last_of(const Curve& curve) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", curve.values.empty() ? 0.0 : curve.values.back());
  return text;
}

const char* plateau(const SoakReport& report) {
  if (!report.judged) return "unknown";
  return std::all_of(report.curves.begin(), report.curves.end(), has_plateau) ? "yes" : "no";
}

}  // namespace

std::string summary(const SoakReport& report) {
  const auto& verdict = report.verdict;
  return "seconds=" + std::to_string(report.seconds) + " accepted=" + std::to_string(verdict.accepted) +
         " delivered=" + std::to_string(verdict.delivered) + " file_mib=" + last_of(report.curves.at(0)) +
         " memory_mib=" + last_of(report.curves.at(1)) + " plateau=" + plateau(report) +
         " lost=" + std::to_string(verdict.lost) + " doubled=" + std::to_string(verdict.doubled) +
         " split=" + std::to_string(verdict.split);
}

SoakReport run_soak_drill(const SoakOptions& options) { return SoakDrill(options).run(); }

}  // namespace bobbin::drill
