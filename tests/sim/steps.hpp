// What a seed does, as a list of small steps. Each has its own random numbers, so that a list with some left out does
// the rest as before: that is what makes it possible to shrink one.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace bobbin::sim {

enum class StepKind {
  call,        // a client's call
  again,       // a call is repeated, or comes late
  read,        // status, wait, list, dead letters
  predicted,   // a call at rest, of which the answer is known
  operate,     // an operator's act on a dead letter
  lanes,       // some lanes run
  settle,      // all lanes run until nothing is left to do
  time,        // time passes
  activity,    // an activity ends
  late,        // one that a crash had cut ends
  check,       // the books are held against each other
  crash,       // now
  crash_at,    // at a commit to come, before or after it
  unknown,     // a commit to come has an unknown outcome; the host lives to hear of it
  full,        // some commits find the disk full
  slow,        // a commit takes long
  clock,       // the wall clock jumps
  close,       // the engine is closed in order and opened again
  change_code  // the next open has other code
};
constexpr std::size_t step_kinds = static_cast<std::size_t>(StepKind::change_code) + 1;
const char* name_of(StepKind kind);
// Throws InvalidArgument for a name that is none.
StepKind step_kind(const std::string& name);

struct Step {
  std::size_t number = 0;  // in the whole list
  StepKind kind = StepKind::call;
  std::uint64_t random = 0;
};

// Which part of a seed's steps is done.
struct Selection {
  std::set<StepKind> without;
  std::set<std::size_t> only;  // empty: all
};

std::vector<Step> steps_of(std::uint64_t seed, std::size_t count, const Selection& selection);

// "3,7-9" and back.
std::string to_text(const std::set<std::size_t>& numbers);
std::set<std::size_t> numbers_of(const std::string& text);

}  // namespace bobbin::sim
