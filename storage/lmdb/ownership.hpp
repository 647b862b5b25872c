// Who may have a log open: once in this process, and once for writing on this machine.
#pragma once

#include "storage/lmdb/files.hpp"

#include <sys/types.h>

#include <filesystem>
#include <utility>

namespace bobbin::storage {

// A place in the process's registry of open environments, keyed by the directory's (device, inode). LMDB needs it:
// opening an environment twice and closing one of the two drops the process's file locks without a word, and others
// then overwrite pages that it still reads. Throws Locked when it is taken.
class ProcessClaim {
 public:
  explicit ProcessClaim(const std::filesystem::path& directory);
  ~ProcessClaim();
  ProcessClaim(const ProcessClaim&) = delete;
  ProcessClaim& operator=(const ProcessClaim&) = delete;

 private:
  std::pair<dev_t, ino_t> key_;
};

// The lock of the one process that may write, held on the file `owner.lock`, which names that process. The kernel
// releases it with the process, however that ends. Throws Locked with the holder's process id when it is taken.
class OwnerLock {
 public:
  explicit OwnerLock(const std::filesystem::path& directory);

 private:
  FileDescriptor file_;
};

}  // namespace bobbin::storage
