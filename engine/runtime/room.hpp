// Riding out a full disk (S26): new work is accepted only while the disk has room, reserved, for all that the
// unfinished work may still write, and for the new work itself.
#pragma once

#include "engine/runtime/log_writer.hpp"
#include "engine/runtime/request.hpp"

#include <optional>

namespace bobbin {

struct Core;

// Orchestrator lane only.
class Room {
 public:
  explicit Room(Core& core) : core_(core) {}

  // The writer's newest word.
  void update(const LogWriter& writer);
  // False: the writer has not reserved enough yet; it is to be asked, and the request waits until it has answered.
  bool can_judge(const Request& request);
  bool is_full() const { return full_; }
  // Throws StorageFull while the disk is full.
  void expect_room() const;

  // Says what the writer is to reserve once the batch is written: while the disk is full only now and then, for it is
  // slow to answer then.
  void ask(SealedBatch& batch);
  // An idle engine is to send an empty batch, or the writer to try again.
  bool asks_now() const;
  void asked();
  // When it is to be asked next if nothing else happens; empty: with the next batch.
  std::optional<LogTime> next() const;

 private:
  std::uint64_t needed() const;

  Core& core_;
  std::uint64_t up_to_ = 0;  // of the log's bytes, as LogBuilder counts them
  bool full_ = false;
  bool waits_ = false;
  std::uint64_t waiting_for_ = 0;  // bytes that a request needs which cannot be judged yet; 0: there is none
  LogTime next_{};
};

}  // namespace bobbin
