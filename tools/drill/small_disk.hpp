// A small file system of its own, in a file: it can be filled to the last block and emptied again.
#pragma once

#include <cstdint>
#include <filesystem>

namespace bobbin::drill {

// Mounted for the calling thread, and for the threads and processes that it starts from then on: when the last of them
// has gone, however that happened, so has the mount. Needs root.
class SmallDisk {
 public:
  enum class Kind {
    usual,
    cannot_allocate,  // knows no fallocate(), as older and foreign file systems
  };
  // Whether this process may mount.
  static bool allowed();

  // ext4, with image and mount point in `directory`. Throws std::runtime_error with the failed command.
  SmallDisk(const std::filesystem::path& directory, std::uint64_t bytes, Kind kind = Kind::usual);
  ~SmallDisk();
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  const std::filesystem::path& path() const { return mounted_; }

  // A ballast file takes what is free, but for `left` bytes. Those who write at the same time get what it did not get.
  void fill(std::uint64_t left = 0);
  // Takes the ballast away.
  void empty();
  std::uint64_t free_bytes() const;

 private:
  std::filesystem::path image_;
  std::filesystem::path mounted_;
};

}  // namespace bobbin::drill
