#include "tests/sim/shrink.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <stdexcept>

namespace bobbin::sim {

namespace {

constexpr unsigned seconds_a_run = 60;  // an engine that never comes to rest is ended by SIGALRM

Outcome read_outcome(int from) {
  Outcome outcome;
  std::string text;
  char buffer[4096];
  for (ssize_t got = 0; (got = ::read(from, buffer, sizeof buffer)) > 0;) text.append(buffer, std::size_t(got));
  std::uint64_t numbers[3]{};
  if (text.size() < sizeof numbers) return {"", 0, 0, 0};
  std::memcpy(numbers, text.data(), sizeof numbers);
  return {text.substr(sizeof numbers), numbers[0], numbers[1], numbers[2]};
}

[[noreturn]] void run_child(const Plan& plan, int to) {
  ::alarm(seconds_a_run);
  const auto outcome = simulate(plan);
  const std::uint64_t numbers[3]{outcome.trace, outcome.steps, outcome.crashes};
  std::string text(reinterpret_cast<const char*>(numbers), sizeof numbers);
  text += outcome.broken;
  const auto written = ::write(to, text.data(), text.size());
  ::_exit(written == static_cast<ssize_t>(text.size()) ? 0 : 1);
}

}  // namespace

Outcome simulate_apart(const Plan& plan) {
  int ends[2];
  if (::pipe(ends) != 0) throw std::runtime_error("no pipe can be made");
  const auto child = ::fork();
  if (child < 0) throw std::runtime_error("no process can be started");
  if (child == 0) {
    ::close(ends[0]);
    run_child(plan, ends[1]);
  }
  ::close(ends[1]);
  auto outcome = read_outcome(ends[0]);
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) outcome.broken = std::string("the process ends: ") + strsignal(WTERMSIG(status));
  return outcome;
}

namespace {

// What is broken, without the numbers of the case.
std::string kind_of(const Outcome& outcome) {
  auto text = outcome.broken;
  std::erase_if(text, [](char letter) { return letter >= '0' && letter <= '9'; });
  return text.substr(0, 60);
}

}  // namespace

Plan shrink(Plan plan, int tries) {
  const auto wanted = kind_of(simulate_apart(plan));
  std::vector<std::size_t> kept;
  for (const auto& step : steps_of(plan.seed, plan.steps, plan.selection)) kept.push_back(step.number);
  plan.selection.without.clear();
  const auto breaks = [&](const std::vector<std::size_t>& steps) {
    if (steps.empty()) return false;
    --tries;
    auto smaller = plan;
    smaller.selection.only = {steps.begin(), steps.end()};
    return kind_of(simulate_apart(smaller)) == wanted;
  };
  for (auto size = kept.size() / 2; size > 0 && tries > 0;) {
    bool shorter = false;
    for (std::size_t from = 0; from < kept.size() && tries > 0;) {
      auto without = kept;
      without.erase(without.begin() + std::ptrdiff_t(from),
                    without.begin() + std::ptrdiff_t(std::min(from + size, without.size())));
      if (breaks(without)) {
        kept = std::move(without);
        shorter = true;
      } else {
        from += size;
      }
    }
    if (!shorter || size > kept.size()) size /= 2;
  }
  plan.selection.only = {kept.begin(), kept.end()};
  return plan;
}

}  // namespace bobbin::sim
