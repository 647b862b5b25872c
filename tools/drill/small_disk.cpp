#include "tools/drill/small_disk.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

namespace bobbin::drill {

namespace {

constexpr std::uint64_t piece_max = 1 << 20;
constexpr std::uint64_t piece_min = 1 << 10;  // a block
constexpr int exit_cannot_execute = 127;

void run(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  for (const auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const auto child = ::fork();
  if (child == 0) {
    ::execv(arguments.front(), arguments.data());
    ::_exit(exit_cannot_execute);
  }
  int status = 0;
  while (child > 0 && ::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (child < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    std::string all;
    for (const auto& word : command) all += (all.empty() ? "" : " ") + word;
    throw std::runtime_error("this failed (it needs root, and packages e2fsprogs and mount): " + all);
  }
}

[[noreturn]] void throw_errno(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

// An error number, or 0.
int grow(int file, off_t from, std::uint64_t bytes) {
  if (::fallocate(file, 0, from, static_cast<off_t>(bytes)) == 0) return 0;
  if (errno != EOPNOTSUPP) return errno;
  const std::vector<char> zeros(bytes);
  const auto written = ::pwrite(file, zeros.data(), zeros.size(), from);
  if (written < 0) return errno;
  if (static_cast<std::uint64_t>(written) < bytes) return ENOSPC;
  return ::fdatasync(file) == 0 ? 0 : errno;
}

}  // namespace

bool SmallDisk::allowed() { return ::geteuid() == 0; }

SmallDisk::SmallDisk(const std::filesystem::path& directory, std::uint64_t bytes, Kind kind)
    : image_(directory / "disk.img"), mounted_(directory / "disk") {
  if (!allowed()) throw std::runtime_error("a file system can only be made and mounted by root: run this as root");
  const int file = ::open(image_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0 || ::ftruncate(file, static_cast<off_t>(bytes)) != 0) throw_errno("making " + image_.string());
  ::close(file);
  const std::string features = kind == Kind::usual ? "extents" : "^extents,^64bit,^flex_bg,^metadata_csum";
  run({"/sbin/mkfs.ext4", "-q", "-F", "-O", features, image_.string()});
  std::filesystem::create_directories(mounted_);
  // Where mounts may not be private, this one is everybody's, and ends with this object.
  if (::unshare(CLONE_NEWNS) == 0) ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
  run({"/bin/mount", "-o", "loop", image_.string(), mounted_.string()});
}

// Lazily: a process that is being killed may hold it a moment longer. The loop device goes with the last of them.
SmallDisk::~SmallDisk() {
  if (::umount2(mounted_.c_str(), MNT_DETACH) != 0)
    std::fprintf(stderr, "%s stays mounted: %s\n", mounted_.c_str(), std::generic_category().message(errno).c_str());
}

void SmallDisk::fill(std::uint64_t left) {
  const auto ballast = mounted_ / "ballast";
  const int file = ::open(ballast.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) throw_errno("making " + ballast.string());
  off_t end = ::lseek(file, 0, SEEK_END);
  for (auto piece = piece_max; piece >= piece_min;) {
    const bool enough = left != 0 && free_bytes() < left + piece;
    const auto error = enough ? ENOSPC : grow(file, end, piece);
    if (error == 0) {
      end += static_cast<off_t>(piece);
    } else if (error == ENOSPC) {
      piece /= 2;
    } else {
      ::close(file);
      throw std::system_error(error, std::generic_category(), "filling " + mounted_.string());
    }
  }
  ::close(file);
}

void SmallDisk::empty() { std::filesystem::remove(mounted_ / "ballast"); }

std::uint64_t SmallDisk::free_bytes() const {
  struct statvfs disk {};
  if (::statvfs(mounted_.c_str(), &disk) != 0) throw_errno("looking at " + mounted_.string());
  return std::uint64_t{disk.f_bavail} * disk.f_frsize;
}

}  // namespace bobbin::drill
