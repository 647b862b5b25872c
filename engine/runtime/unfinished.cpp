#include "engine/runtime/unfinished.hpp"

#include "engine/runtime/overlay.hpp"
#include "engine/runtime/payloads.hpp"

#include <algorithm>

namespace bobbin {

namespace {

// Beside its key.
constexpr std::uint64_t bytes_a_row = 256;
// A turn, an activity's completion and the end.
constexpr std::uint64_t bytes_of_records = 1'024 - bytes_a_row;
// An event stands in the mailbox until it expires, which is a record.
constexpr std::uint64_t bytes_a_mailbox = 512;
// What a run was given, with as much around it, it may hand to an activity, get back as its result, and return itself.
constexpr std::uint64_t times_held_is_written = 3;
constexpr std::uint64_t times_passed_on_is_written = 2;
constexpr std::uint64_t bytes_around_event = 128;
// However long it has been given something: what it passes on goes a payload at a time.
constexpr std::uint64_t bytes_held_max = 4 << 20;
// Of what a run from before the open may still write.
constexpr std::uint64_t bytes_of_unknown_run = 3'072;

// Events come with as much around them; what else a run is given stands for itself.
std::uint64_t held_by(const Input& input) {
  std::uint64_t events = 0;
  if (std::holds_alternative<EventInput>(input)) events = 1;
  if (const auto* start = std::get_if<StartInput>(&input)) events = start->carried.size();
  return payload_bytes(input) + events * bytes_around_event;
}

// In the order of their ids, so that large ones fill their pages by half.
std::uint64_t bytes_of_row(const InstanceState& state) { return bytes_a_row + 2 * state.name.key.size(); }

std::uint64_t owed_by_mailbox(const InstanceState& state) { return state.unread.empty() ? 0 : bytes_a_mailbox; }

std::uint64_t passed_on_by(const Record& record) {
  std::uint64_t bytes = 0;
  if (const auto* turn = std::get_if<TurnBody>(&record.body))
    for (const auto& decision : turn->decisions)
      if (const auto* scheduled = std::get_if<ActivityScheduled>(&decision))
        bytes += scheduled->input ? scheduled->input->bytes.size() : 0;
  return bytes;
}

}  // namespace

Unfinished::Unfinished(std::uint64_t stored)
    : bytes_(stored * bytes_of_unknown_run), away_(stored), away_bytes_(bytes_) {}

void Unfinished::owe(Instance& instance, std::uint64_t bytes) {
  bytes_ = bytes_ - instance.owed.bytes + bytes;
  instance.owed.bytes = bytes;
}

void Unfinished::note(Instance& instance, const Record& record) {
  const auto& state = instance.state;
  auto& owed = instance.owed;
  if (!state.live()) {
    owed.held = owed.passed_on = 0;
    return owe(instance, (instance.dirty_since != 0 ? bytes_of_row(state) : 0) + owed_by_mailbox(state));
  }
  if (record.run == record.lsn || state.activities.empty()) owed.passed_on = 0;
  if (record.run == record.lsn) owed.held = 0;
  for (const auto& input : inputs_of(record)) owed.held += held_by(input);
  const auto passed_on = passed_on_by(record);
  owed.held = std::min(owed.held - std::min(owed.held, passed_on), bytes_held_max);
  owed.passed_on += passed_on;
  owe(instance, bytes_of_records + bytes_of_row(state) + owed.held * times_held_is_written +
                    owed.passed_on * times_passed_on_is_written);
}

void Unfinished::row_leaves(Instance& instance) {
  if (!instance.state.live()) owe(instance, owed_by_mailbox(instance.state));
}

void Unfinished::leaves(const Instance& instance) {
  if (instance.owed.bytes == 0) return;
  ++away_;
  away_bytes_ += instance.owed.bytes;
}

void Unfinished::returns(Instance& instance) {
  if (away_ == 0 || (!instance.state.live() && instance.state.unread.empty())) return;
  instance.owed.bytes = away_bytes_ / away_;
  instance.owed.held = instance.owed.bytes / times_held_is_written;
  away_bytes_ -= instance.owed.bytes;
  --away_;
}

}  // namespace bobbin
