// Descriptors, and what it takes for names and bytes to be on the disk.
#pragma once

#include <filesystem>
#include <utility>

namespace bobbin::storage {

class FileDescriptor {
 public:
  // Throws what throw_failure makes of errno.
  FileDescriptor(const std::filesystem::path& path, int flags, unsigned mode = 0600);
  ~FileDescriptor();
  FileDescriptor(FileDescriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

// The entries of a directory, or the bytes of a file, survive a power cut once this has returned.
void sync_to_disk(const std::filesystem::path& path);

}  // namespace bobbin::storage
