#include "tools/drill/preload/file_calls.hpp"

#include "tools/drill/preload/real.hpp"

#include <unistd.h>

namespace bobbin::drill {

ssize_t FileWrite::pass_on() const {
  static const auto write = real<ssize_t (*)(int, const void*, size_t)>("write");
  static const auto write_pieces = real<ssize_t (*)(int, const iovec*, int)>("writev");
  static const auto write_at = real<ssize_t (*)(int, const void*, size_t, off64_t)>("pwrite64");
  static const auto write_pieces_at = real<ssize_t (*)(int, const iovec*, int, off64_t)>("pwritev64");
  if (count == 1)
    return offset < 0 ? write(file, pieces->iov_base, pieces->iov_len)
                      : write_at(file, pieces->iov_base, pieces->iov_len, offset);
  return offset < 0 ? write_pieces(file, pieces, count) : write_pieces_at(file, pieces, count, offset);
}

int FileSync::pass_on() const {
  static const auto sync_all = real<int (*)(int)>("fsync");
  static const auto sync_data = real<int (*)(int)>("fdatasync");
  return data_only ? sync_data(file) : sync_all(file);
}

}  // namespace bobbin::drill

namespace {

ssize_t written(int file, const void* bytes, size_t size, off64_t offset) {
  const iovec piece{const_cast<void*>(bytes), size};
  return bobbin::drill::on_write({file, &piece, 1, offset});
}

}  // namespace

extern "C" {

ssize_t write(int file, const void* bytes, size_t size) { return written(file, bytes, size, -1); }
ssize_t writev(int file, const iovec* pieces, int count) { return bobbin::drill::on_write({file, pieces, count, -1}); }
ssize_t pwrite(int file, const void* bytes, size_t size, off_t offset) { return written(file, bytes, size, offset); }
ssize_t pwrite64(int file, const void* bytes, size_t size, off64_t offset) {
  return written(file, bytes, size, offset);
}
ssize_t pwritev(int file, const iovec* pieces, int count, off_t offset) {
  return bobbin::drill::on_write({file, pieces, count, offset});
}
ssize_t pwritev64(int file, const iovec* pieces, int count, off64_t offset) {
  return bobbin::drill::on_write({file, pieces, count, offset});
}
int fsync(int file) { return bobbin::drill::on_sync({file, false}); }
int fdatasync(int file) { return bobbin::drill::on_sync({file, true}); }
}
