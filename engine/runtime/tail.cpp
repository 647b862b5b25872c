#include "engine/runtime/tail.hpp"

#include "engine/base/overloaded.hpp"
#include "engine/fold/fold.hpp"

#include <bobbin/assert.hpp>

#include <algorithm>

namespace bobbin {

namespace {

// Reading, checking and copying so many bytes of payload takes about as long as folding a record that has few.
constexpr std::size_t bytes_as_a_record = 1'024;

std::size_t bytes_of(const PayloadPtr& payload) { return payload ? payload->bytes.size() : 0; }

std::size_t bytes_of(const Event& event) { return bytes_of(event.value) + bytes_of(event.start_input); }

std::size_t bytes_of(const Input& input) {
  return std::visit(Overload{
                        [](const StartInput& start) {
                          auto bytes = bytes_of(start.input);
                          for (const auto& event : start.carried) bytes += bytes_of(event);
                          return bytes;
                        },
                        [](const EventInput& event) { return bytes_of(event.event); },
                        [](const ActivityCompleted& done) { return bytes_of(done.result); },
                        [](const auto&) { return std::size_t{0}; },
                    },
                    input);
}

}  // namespace

std::size_t payload_bytes(const Record& record) {
  std::size_t bytes = 0;
  for (const auto& input : inputs_of(record)) bytes += bytes_of(input);
  if (const auto* turn = std::get_if<TurnBody>(&record.body)) {
    for (const auto& decision : turn->decisions)
      if (const auto* scheduled = std::get_if<ActivityScheduled>(&decision)) bytes += bytes_of(scheduled->input);
    if (turn->end) bytes += bytes_of(turn->end->result);
  }
  if (const auto* act = std::get_if<OperatorActBody>(&record.body)) bytes += bytes_of(act->result);
  return bytes;
}

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
