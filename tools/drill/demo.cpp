#include "tools/drill/demo.hpp"

#include "tools/drill/batch_body.hpp"
#include "tools/drill/load.hpp"
#include "tools/drill/stage.hpp"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <random>
#include <set>

namespace bobbin::drill {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds burst_length{3'000};
constexpr milliseconds step{10};
constexpr milliseconds window_length{5'000};  // longer than the burst: one window for each sender
constexpr milliseconds patience{15'000};
constexpr milliseconds end_within{30'000};
constexpr std::size_t pair = 2;
constexpr auto recipient = "+49800100";

void tell(const char* text) {
  std::printf("%s\n", text);
  std::fflush(stdout);
}

template <typename First, typename... Rest>
void tell(const char* format, First first, Rest... rest) {
  std::printf(format, first, rest...);
  tell("");
}

StageOptions stage_options(const DemoOptions& options) {
  StageOptions stage;
  stage.gateway = options.gateway;
  stage.directory = options.directory;
  stage.connections = options.connections;
  stage.seed = options.seed;
  stage.settings.window_length = window_length;
  return stage;
}

class Demo {
 public:
  explicit Demo(const DemoOptions& options)
      : options_(options), stage_(stage_options(options)), random_(options.seed), order_(options.senders) {
    for (std::size_t i = 0; i < order_.size(); ++i) order_[i] = i;
  }

  bool run() {
    stage_.start_gateway();
    stage_.gateway().wait_for_ports(end_within);
    tell("The gateway runs as process %d, the application listens at %s.", static_cast<int>(stage_.gateway().pid()),
         stage_.receiver().url().c_str());
    tell("Burst: %zu messages from %zu senders on %zu SMPP connections, always two of a sender at once.",
         options_.messages, options_.senders, options_.connections);
    burst();
    tell("All is sent; waiting for the windows of %lld s to close.",
         static_cast<long long>(window_length.count() / 1000));
    const bool answered = wait_for_batches();
    const auto verdict = stage_.check();
    const bool proven = answered && prove(verdict);
    write_journals(options_.directory, stage_.sent(), stage_.receiver().batches());
    const bool shown = show_history();
    stage_.gateway().ask_to_end();
    const auto end = stage_.gateway().wait_for_end(end_within);
    tell("\nThe gateway was asked to end and did so with status %d.", end.code);
    const bool good = proven && shown && end.clean();
    tell(good ? "PROVEN" : "NOT PROVEN");
    return good;
  }

 private:
  void burst() {
    const auto steps = static_cast<std::size_t>(burst_length / step);
    const auto begun = std::chrono::steady_clock::now();
    for (std::size_t now = 1; now <= steps; ++now) {
      while (stage_.sent().size() < options_.messages * now / steps) send_pair();
      if (now % 50 == 0) repeat_some();
      if (now % (steps / 6) == 0) tell_progress();
      if (now == steps / 2) die_and_return();
      const auto until = begun + now * step;
      stage_.run_for(
          std::max(milliseconds(0), std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now())));
    }
  }

  void send_pair() {
    if (next_ % order_.size() == 0) std::shuffle(order_.begin(), order_.end(), random_);
    const auto from = sender_number(order_[next_++ % order_.size()]);
    for (std::size_t half = 0; half < pair; ++half) {
      SentMessage message;
      message.from = from;
      message.to = recipient;
      message.text = "message " + std::to_string(stage_.sent().size() + 1);
      message.reference = static_cast<std::uint16_t>(stage_.sent().size() + 1);
      sent_.push_back(&stage_.send(std::move(message), (next_ + half) % stage_.connections()));
    }
  }

  // As peers do that have missed an answer.
  void repeat_some() {
    for (int i = 0; i < 10; ++i) {
      auto& message = *sent_[std::uniform_int_distribution<std::size_t>(0, sent_.size() - 1)(random_)];
      if (!message.answered) continue;
      stage_.repeat(message, static_cast<std::size_t>(i) % stage_.connections());
      ++repeated_;
    }
  }

  std::size_t answered() const {
    return static_cast<std::size_t>(std::count_if(stage_.sent().begin(), stage_.sent().end(),
                                                  [](const SentMessage& message) { return message.answered; }));
  }

  void tell_progress() {
    tell("  %5zu sent, %5zu acknowledged, %3zu batches delivered", stage_.sent().size(), answered(),
         stage_.receiver().batches().size());
  }

  void die_and_return() {
    const auto unanswered = stage_.sent().size() - answered();
    const auto killed_at = std::chrono::steady_clock::now();
    stage_.gateway().kill_hard();
    tell("  SIGKILL, with %zu messages unanswered and every window open.", unanswered);
    stage_.start_gateway();
    const auto up = stage_.run_until([this] { return stage_.gateway().ports().all_open(); }, end_within);
    const auto down = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - killed_at);
    if (up)
      tell("  Started again, listening after %lld ms; the clients repeat what was not answered.",
           static_cast<long long>(down.count()));
  }

  bool wait_for_batches() {
    const auto expected = options_.senders;
    for (int second = 0; second < 2 * window_length / milliseconds(1'000); ++second) {
      const bool all =
          stage_.run_until([&] { return stage_.unsettled() == 0 && stage_.receiver().batches().size() >= expected; },
                           milliseconds(1'000));
      tell_progress();
      if (all) break;
    }
    tell("Waiting for what should not come.");
    return stage_.drain(patience);
  }

  bool prove(const Verdict& verdict) {
    std::set<std::pair<std::string, LogTime>> windows;
    std::uint32_t deliveries = 0;
    for (const auto& batch : stage_.receiver().batches()) {
      deliveries += batch.times;
      if (const auto body = parse_batch_body(batch.body)) windows.insert({body->from, body->opened_at});
    }
    const auto batches = stage_.receiver().batches().size();
    const bool one_each = windows.size() == batches && verdict.split == 0;
    const bool all = verdict.accepted == options_.messages && verdict.delivered == verdict.accepted;
    tell("\naccepted    %zu of %zu messages (%zu repetitions recognised)", verdict.accepted, stage_.sent().size(),
         repeated_);
    tell("batched     %zu batches for %zu windows of %zu senders", batches, windows.size(), options_.senders);
    tell("delivered   %zu messages in %u requests, every signature right: %s", verdict.delivered, deliveries,
         stage_.receiver().complaints().empty() ? "yes" : "NO");
    tell("proof       one batch per sender and window: %s, %zu lost, %zu doubled, %zu split", one_each ? "yes" : "NO",
         verdict.lost, verdict.doubled, verdict.split);
    for (std::size_t i = 0; i < verdict.broken.size() && i < 5; ++i) tell("  %s", verdict.broken[i].what.c_str());
    return verdict.kept() && one_each && all && stage_.receiver().complaints().empty();
  }

  bool show_history() {
    if (stage_.receiver().batches().empty()) return false;
    const auto body = parse_batch_body(stage_.receiver().batches().front().body);
    if (!body) return false;
    const auto id = to_hex(instance_id({"sms_consolidation", body->from + "\t" + body->to}));
    tell("\nThe history of one batch, read beside the running gateway:\n$ bobbin show --directory %s %s",
         stage_.data_directory().c_str(), id.c_str());
    return run_program({options_.inspect.string(), "show", "--directory", stage_.data_directory().string(), id});
  }

  static bool run_program(std::vector<std::string> arguments) {
    std::vector<char*> raw;
    for (auto& argument : arguments) raw.push_back(argument.data());
    raw.push_back(nullptr);
    pid_t child = 0;
    if (::posix_spawn(&child, raw[0], nullptr, nullptr, raw.data(), environ) != 0) return false;
    int status = 0;
    if (::waitpid(child, &status, 0) != child) return false;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }

  const DemoOptions& options_;
  Stage stage_;
  std::mt19937_64 random_;
  std::vector<std::size_t> order_;  // of the senders
  std::size_t next_ = 0;
  std::vector<SentMessage*> sent_;
  std::size_t repeated_ = 0;
};

}  // namespace

bool run_demo(const DemoOptions& options) { return Demo(options).run(); }

}  // namespace bobbin::drill
