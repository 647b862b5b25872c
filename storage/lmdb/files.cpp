#include "storage/lmdb/files.hpp"

#include "storage/lmdb/failure.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace bobbin::storage {

FileDescriptor::FileDescriptor(const std::filesystem::path& path, int flags, unsigned mode)
    : number_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {
  if (number_ < 0) throw_failure(errno, "opening", path);
}

FileDescriptor::~FileDescriptor() {
  if (number_ >= 0) ::close(number_);
}

void sync_to_disk(const std::filesystem::path& path) {
  const FileDescriptor file(path, O_RDONLY);
  if (::fsync(file.number()) != 0) throw_sync_failure(errno, path);
}

}  // namespace bobbin::storage
