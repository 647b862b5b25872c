// How much unfinished runs may still write before they end, and the rows of those that have (S26): estimated from what
// they were given. Exact enough, as what is reserved for it is compared with the disk again after each commit.
#pragma once

#include <bobbin/state.hpp>

#include <cstdint>

namespace bobbin {

struct Instance;

// Of one instance, while in memory.
struct Owed {
  std::uint64_t held = 0;       // bytes that the run was given and has not passed on
  std::uint64_t passed_on = 0;  // to activities that have not ended
  std::uint64_t bytes = 0;      // that it may still write
};

// Orchestrator lane only.
class Unfinished {
 public:
  // `stored`: rows of instances with something to do, none of which is in memory.
  explicit Unfinished(std::uint64_t stored);

  // A record of the instance was folded.
  void note(Instance& instance, const Record& record);
  // The instance's row is on its way to the store.
  void row_leaves(Instance& instance);
  // The instance leaves memory, or comes back: those that are away share what they may write.
  void leaves(const Instance& instance);
  void returns(Instance& instance);

  std::uint64_t bytes() const { return bytes_; }

 private:
  void owe(Instance& instance, std::uint64_t bytes);

  std::uint64_t bytes_;
  std::uint64_t away_;
  std::uint64_t away_bytes_;
};

}  // namespace bobbin
