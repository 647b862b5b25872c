#include "engine/runtime/tail.hpp"

#include <bobbin/assert.hpp>

#include <algorithm>

namespace bobbin {

namespace {

// Reading, checking and copying so many bytes of payload takes about as long as folding a record that has few.
constexpr std::size_t bytes_as_a_record = 1'024;

}  // namespace

void Tail::add(Lsn lsn, std::size_t payload_bytes) {
  expect(lsn == last() + 1, "the tail is weighed record by record");
  sums_.push_back(sum(last()) + 1 + payload_bytes / bytes_as_a_record);
}

std::uint64_t Tail::sum(Lsn lsn) const {
  if (lsn <= before_) return sum_before_;
  return sums_[std::min<std::size_t>(lsn - before_, sums_.size()) - 1];
}

Lsn Tail::record_before(std::uint64_t weight) const {
  const auto total = sum(last());
  if (total < weight + sum_before_) return 0;
  const auto heavier = std::upper_bound(sums_.begin(), sums_.end(), total - weight);
  return before_ + static_cast<Lsn>(heavier - sums_.begin());
}

void Tail::forget_up_to(Lsn lsn) {
  while (before_ < lsn && !sums_.empty()) {
    sum_before_ = sums_.front();
    sums_.pop_front();
    ++before_;
  }
}

}  // namespace bobbin
