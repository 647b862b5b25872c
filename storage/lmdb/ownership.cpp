#include "storage/lmdb/ownership.hpp"

#include "storage/lmdb/failure.hpp"

#include <bobbin/error.hpp>

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <mutex>
#include <set>
#include <string>

namespace bobbin::storage {

namespace {

struct Registry {
  std::mutex mutex;
  std::set<std::pair<dev_t, ino_t>> open;
};

// The one piece of state that belongs to the process: so do the file locks that it protects.
Registry& registry() {
  static Registry instance;
  return instance;
}

std::string holder(int file) {
  std::array<char, 32> text{};
  const auto size = ::pread(file, text.data(), text.size(), 0);
  const std::string pid(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  const auto digits = pid.substr(0, pid.find_first_not_of("0123456789"));
  if (digits.empty()) return "another process";
  // A lock goes with the last copy of its descriptor, and forking makes copies.
  const bool ended = ::kill(static_cast<pid_t>(std::stol(digits)), 0) != 0 && errno == ESRCH;
  return "process " + digits + (ended ? ", which has ended: a child that it forked still holds it" : "");
}

// Over what is there, and cut afterwards: so an owner's file that has been written once takes no block of a full disk.
// If there is none for a first owner, the lock holds without its name.
void write_pid(int file, const std::filesystem::path& path) {
  const auto pid = std::to_string(::getpid()) + "\n";
  const auto size = ::pwrite(file, pid.data(), pid.size(), 0);
  if (size < 0 && (errno == ENOSPC || errno == EDQUOT)) return;
  if (size < 0 || ::ftruncate(file, size) != 0) throw_failure(errno, "writing", path);
}

}  // namespace

ProcessClaim::ProcessClaim(const std::filesystem::path& directory) {
  struct stat status {};
  if (::stat(directory.c_str(), &status) != 0) throw_failure(errno, "opening the log in", directory);
  key_ = {status.st_dev, status.st_ino};
  const std::scoped_lock lock(registry().mutex);
  if (!registry().open.insert(key_).second)
    throw Locked("the log in " + directory.string() +
                 " is already open in this process; close that store and its snapshots first");
}

ProcessClaim::~ProcessClaim() {
  const std::scoped_lock lock(registry().mutex);
  registry().open.erase(key_);
}

OwnerLock::OwnerLock(const std::filesystem::path& directory) : file_(directory / "owner.lock", O_RDWR | O_CREAT) {
  struct flock lock {};  // of the open file, not of the process: no other close() in the process releases it
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  const auto path = directory / "owner.lock";
  if (::fcntl(file_.number(), F_OFD_SETLK, &lock) != 0) {
    if (errno != EAGAIN && errno != EACCES) throw_failure(errno, "locking", path);
    throw Locked("the log in " + directory.string() + " is open in " + holder(file_.number()) +
                 "; one process at a time may write it: stop that one, or read it only");
  }
  write_pid(file_.number(), path);
}

}  // namespace bobbin::storage
