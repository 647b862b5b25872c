// A log in memory: the same semantics and the same bytes as on disk, for tests and simulations.
#pragma once

#include <bobbin/inspection.hpp>

#include <cstdint>
#include <memory>
#include <variant>

namespace bobbin {

// What a disk is to a log: it outlives the stores opened on it, and what was committed to it stays. Remembers every
// commit, so that a copy can be made of how it was after any of them. Any thread.
class MemoryDisk : public std::enable_shared_from_this<MemoryDisk> {
 public:
  // A new, empty log. The log id is a function of `seed`, so that simulations repeat.
  static std::shared_ptr<MemoryDisk> create(std::uint64_t seed = 0);
  virtual ~MemoryDisk() = default;

  // Opens the log. Throws Locked while another store has it open, Corrupt as an LMDB store would.
  virtual std::unique_ptr<Store> open() = 0;
  // Beside an open store or alone.
  virtual std::unique_ptr<InspectionSnapshot> snapshot() = 0;

  // Commits made since the disk was created.
  virtual std::uint64_t commits() const = 0;
  // A copy that holds the first `commits` commits: a crash right after the last of them. Throws InvalidArgument when
  // there were fewer.
  virtual std::shared_ptr<MemoryDisk> prefix(std::uint64_t commits) const = 0;

  // Damages one byte of a record as it lies on the disk: `mask` is xored onto byte `offset` of the framed record.
  // Throws NotFound or InvalidArgument when there is no such record or byte.
  virtual void damage_record(Lsn lsn, std::size_t offset, std::uint8_t mask) = 0;
  // As above, for a row: that of an instance, of a dead letter (named by its position), of a due time, of a purged
  // stretch, of a schema, the first chunk of a dedup run, or the names of the rows that purges left.
  using Row = std::variant<InstanceId, Position, DueEntry, PurgedStretch, Schema, DedupRun, Committed::Ended>;
  virtual void damage_row(const Row& row, std::size_t offset, std::uint8_t mask) = 0;
};

}  // namespace bobbin
