#include "tests/sim/store.hpp"

#include <bobbin/lmdb.hpp>
#include <bobbin/memory_store.hpp>

#include <stdlib.h>

#include <filesystem>

namespace bobbin::sim {

namespace {

class InMemory final : public Disk {
 public:
  explicit InMemory(std::uint64_t seed) : disk_(MemoryDisk::create(seed)) {}
  std::unique_ptr<Store> open() override { return disk_->open(); }

 private:
  std::shared_ptr<MemoryDisk> disk_;
};

class OnLmdb final : public Disk {
 public:
  OnLmdb() {
    std::string name = "/dev/shm/bobbin-sim-XXXXXX";
    if (!mkdtemp(name.data())) throw InvalidArgument("no directory can be made like " + name);
    path_ = name;
  }
  ~OnLmdb() override {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  OnLmdb(const OnLmdb&) = delete;
  OnLmdb& operator=(const OnLmdb&) = delete;
  std::unique_ptr<Store> open() override {
    LmdbOptions options;
    options.map_size_bytes = std::uint64_t{16} << 20;
    return open_lmdb(path_ / "log", options);
  }

 private:
  std::filesystem::path path_;
};

}  // namespace

std::unique_ptr<Disk> disk_in_memory(std::uint64_t seed) { return std::make_unique<InMemory>(seed); }
std::unique_ptr<Disk> lmdb_disk() { return std::make_unique<OnLmdb>(); }

Committed SimStore::commit(const Batch& batch) {
  if (!faults_->power) throw OutcomeUnknown("the power is off");
  if (faults_->fails_in != 0 && --faults_->fails_in == 0) {
    faults_->power = false;
    if (faults_->written) write(batch);
    throw OutcomeUnknown("the simulated disk failed in this commit");
  }
  if (faults_->full_for != 0) {
    --faults_->full_for;
    ++faults_->full_found;
    throw StorageFull("the simulated disk is full");
  }
  return write(batch);
}

Committed SimStore::write(const Batch& batch) {
  const auto done = store_->commit(batch);
  watch_(batch, done);
  return done;
}

}  // namespace bobbin::sim
