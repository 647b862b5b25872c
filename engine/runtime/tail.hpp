// The log's tail, weighed: how much work folding it at the next open is (P9). Checkpoints go by weight, so that a few
// large records are written behind as soon as many small ones.
#pragma once

#include <bobbin/types.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>

namespace bobbin {

// Orchestrator lane only.
class Tail {
 public:
  // Of the first record that is folded at an open, less one.
  explicit Tail(Lsn before) : before_(before) {}

  // In the order of the log, from the first on.
  void add(Lsn lsn, std::size_t payload_bytes);
  // Of the records behind `lsn`, up to and with `until` or the newest one. A plain record weighs 1.
  std::uint64_t weight_behind(Lsn lsn, Lsn until) const { return until > lsn ? sum(until) - sum(lsn) : 0; }
  std::uint64_t weight_behind(Lsn lsn) const { return weight_behind(lsn, last()); }
  // The newest record that has at least this weight behind it; 0 if there is none.
  Lsn record_before(std::uint64_t weight) const;
  // Records up to `lsn` are not asked for any more.
  void forget_up_to(Lsn lsn);
  Lsn last() const { return before_ + sums_.size(); }

 private:
  std::uint64_t sum(Lsn lsn) const;

  Lsn before_;  // the record before the first
  std::uint64_t sum_before_ = 0;
  std::deque<std::uint64_t> sums_;  // of the weights up to and with each record
};

}  // namespace bobbin
