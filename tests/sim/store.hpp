// The log under the simulated engine: in memory, or LMDB on a file system in memory; and the store over it that fails
// as it is told to and shows every commit to who watches.
#pragma once

#include <bobbin/store.hpp>

#include <functional>
#include <memory>

namespace bobbin::sim {

// What outlives the engines that open it.
class Disk {
 public:
  virtual ~Disk() = default;
  virtual std::unique_ptr<Store> open() = 0;
};
std::unique_ptr<Disk> disk_in_memory(std::uint64_t seed);
// A directory below /dev/shm, which goes with the object.
std::unique_ptr<Disk> lmdb_disk();

// How the next commits go.
struct CommitFaults {
  bool power = true;             // off: nothing is written any more, and nobody learns of anything
  std::uint64_t fails_in = 0;    // so many commits from now one fails with its outcome unknown; 0: none
  bool written = false;          // that one is on the disk nevertheless
  bool host_dies = false;        // with that one
  std::uint64_t full_for = 0;    // so many commits find no room
  std::uint64_t full_found = 0;  // commits that found none
};

class SimStore final : public Store {
 public:
  using Watch = std::function<void(const Batch&, const Committed&)>;
  SimStore(std::unique_ptr<Store> store, std::shared_ptr<CommitFaults> faults, Watch watch)
      : store_(std::move(store)), faults_(std::move(faults)), watch_(std::move(watch)) {}

  LogInfo info() const override { return store_->info(); }
  std::uint64_t reserve(std::uint64_t bytes) override { return store_->reserve(bytes); }
  Committed commit(const Batch& batch) override;
  std::unique_ptr<Snapshot> snapshot() override { return store_->snapshot(); }

 private:
  Committed write(const Batch& batch);

  std::unique_ptr<Store> store_;
  std::shared_ptr<CommitFaults> faults_;
  Watch watch_;
};

}  // namespace bobbin::sim
