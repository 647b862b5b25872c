#include "tests/sim/steps.hpp"

#include "tests/sim/random.hpp"

#include <bobbin/error.hpp>

#include <sstream>

namespace bobbin::sim {

namespace {

struct Kind {
  const char* name;
  unsigned weight;
};
constexpr std::array<Kind, step_kinds> kinds{{{"call", 30},
                                              {"again", 6},
                                              {"read", 4},
                                              {"predicted", 4},
                                              {"operate", 3},
                                              {"lanes", 30},
                                              {"settle", 6},
                                              {"time", 14},
                                              {"activity", 14},
                                              {"late", 1},
                                              {"check", 3},
                                              {"crash", 1},
                                              {"crash-at", 2},
                                              {"unknown", 1},
                                              {"full", 1},
                                              {"slow", 2},
                                              {"clock", 1},
                                              {"close", 1},
                                              {"change-code", 1}}};

}  // namespace

const char* name_of(StepKind kind) { return kinds[static_cast<std::size_t>(kind)].name; }

StepKind step_kind(const std::string& name) {
  std::string known;
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    if (name == kinds[i].name) return static_cast<StepKind>(i);
    known += std::string(known.empty() ? "" : ", ") + kinds[i].name;
  }
  throw InvalidArgument("'" + name + "' is no kind of step; there are " + known);
}

std::vector<Step> steps_of(std::uint64_t seed, std::size_t count, const Selection& selection) {
  unsigned total = 0;
  for (const auto& kind : kinds) total += kind.weight;
  Random random(seed ^ 0x5eed);
  std::vector<Step> steps;
  for (std::size_t number = 1; number <= count; ++number) {
    auto draw = random.below(total);
    std::size_t kind = 0;
    for (; draw >= kinds[kind].weight; ++kind) draw -= kinds[kind].weight;
    const Step step{number, static_cast<StepKind>(kind), random.next()};
    if (selection.without.contains(step.kind)) continue;
    if (selection.only.empty() || selection.only.contains(number)) steps.push_back(step);
  }
  return steps;
}

std::string to_text(const std::set<std::size_t>& numbers) {
  std::string text;
  for (auto at = numbers.begin(); at != numbers.end();) {
    auto last = at;
    while (std::next(last) != numbers.end() && *std::next(last) == *last + 1) ++last;
    text += (text.empty() ? "" : ",") + std::to_string(*at);
    if (last != at) text += "-" + std::to_string(*last);
    at = std::next(last);
  }
  return text;
}

std::set<std::size_t> numbers_of(const std::string& text) {
  std::set<std::size_t> numbers;
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');) {
    const auto dash = part.find('-');
    const auto first = std::stoul(part);
    const auto last = dash == std::string::npos ? first : std::stoul(part.substr(dash + 1));
    for (auto number = first; number <= last; ++number) numbers.insert(number);
  }
  return numbers;
}

}  // namespace bobbin::sim
