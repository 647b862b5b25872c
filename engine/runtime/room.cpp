#include "engine/runtime/room.hpp"

#include "engine/runtime/core.hpp"

namespace bobbin {

namespace {

// What may be accepted until the writer has answered again.
constexpr std::uint64_t headroom = 2 << 20;
// To be accepted again: so much more, lest refusals begin at once.
constexpr std::uint64_t whole_again = 2 * headroom;
constexpr Duration asked_every = std::chrono::milliseconds(200);

// Its own records, and what follows from them.
std::uint64_t written_for(const AcceptRequest& request) { return 4'096 + 4 * bytes_of(request); }

}  // namespace

std::uint64_t Room::needed() const { return core_.overlay.unfinished().bytes(); }

void Room::update(const LogWriter& writer) {
  const auto room = writer.room();
  up_to_ = room.up_to;
  if (room.whole == full_) {
    full_ = !room.whole;
    core_.counters.storage_full.set(full_);
    next_ = core_.clock.now() + asked_every;
    if (full_)
      core_.say(LogLevel::warning, "the disk is full: new work is refused until " +
                                       std::to_string(needed() + whole_again) +
                                       " bytes can be reserved for the log; what was accepted goes on");
    else
      core_.say(LogLevel::info, "there is room on the disk again: new work is accepted");
  }
  if (writer.waits_for_room() == waits_) return;
  waits_ = !waits_;
  next_ = core_.clock.now() + asked_every;
  if (waits_)
    core_.say(LogLevel::error,
              "the disk is full and what was reserved is used up: nothing is written until there is room");
}

bool Room::can_judge(const Request& request) {
  waiting_for_ = 0;
  const auto* accept = std::get_if<AcceptRequest>(&request);
  if (!accept || full_) return true;
  const auto bytes = written_for(*accept);
  if (core_.log.bytes() + needed() + bytes <= up_to_) return true;
  waiting_for_ = bytes;
  return false;
}

void Room::expect_room() const {
  if (full_)
    throw StorageFull(
        "the disk is full: new work is refused until there is room for what was accepted and more; repeat "
        "the call later");
}

void Room::ask(SealedBatch& batch) {
  batch.bytes_up_to = core_.log.bytes();
  batch.reserve = 0;
  if (full_ && !asks_now()) return;
  batch.reserve = needed() + (full_ ? whole_again : headroom) + waiting_for_;
  asked();
}

bool Room::asks_now() const { return full_ || waits_ ? next_ <= core_.clock.now() : waiting_for_ != 0; }

void Room::asked() { next_ = core_.clock.now() + asked_every; }

std::optional<LogTime> Room::next() const { return full_ || waits_ ? std::optional(next_) : std::nullopt; }

}  // namespace bobbin
