#include "storage/lmdb/reserve.hpp"

#include <fcntl.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace bobbin::storage {

namespace {

constexpr std::uint64_t step_min = 1 << 20;
constexpr std::uint64_t step_max = 64 << 20;
// A step is this share of the file system, or of what the file may grow to: a small one is not taken whole.
constexpr std::uint64_t steps_a_disk = 64;
// What is left of a disk is gathered in pieces down to this size.
constexpr std::uint64_t piece_min = 64 << 10;

std::uint64_t step_of(int file, std::uint64_t limit) {
  struct statvfs disk {};
  if (::fstatvfs(file, &disk) != 0) return step_min;
  return std::clamp(std::min<std::uint64_t>(disk.f_blocks * disk.f_frsize, limit) / steps_a_disk, step_min, step_max);
}

int allocate_beyond_end(int file, std::uint64_t from, std::uint64_t bytes) {
  int result = 0;
  do {
    result = ::fallocate(file, FALLOC_FL_KEEP_SIZE, static_cast<off_t>(from), static_cast<off_t>(bytes));
  } while (result != 0 && errno == EINTR);
  return result == 0 ? 0 : errno;
}

}  // namespace

Reserve::Reserve(int data_file, std::filesystem::path path, std::uint64_t used, std::uint64_t limit,
                 std::function<void(std::string_view)> log_line)
    : file_(data_file),
      path_(std::move(path)),
      limit_(limit),
      end_(used),
      step_(step_of(data_file, limit)),
      log_line_(std::move(log_line)) {}

std::uint64_t Reserve::spare() const { return step_ / 4; }

void Reserve::extend(std::uint64_t used, std::uint64_t wanted) {
  if (can_allocate_) allocate(wanted);
  if (!can_allocate_) believe_free_space(used);
}

void Reserve::allocate(std::uint64_t wanted) {
  const auto target = std::min(limit_, wanted + step_);
  for (auto piece = step_; end_ < std::min(limit_, wanted);) {
    const auto bytes = std::min(std::max(piece, piece_min), target - end_);
    const auto error = allocate_beyond_end(file_, end_, bytes);
    if (error == 0) {
      end_ += bytes;
      continue;
    }
    if (error == EOPNOTSUPP || error == ENOSYS) {
      can_allocate_ = false;
      if (log_line_)
        log_line_("the file system of " + path_.string() +
                  " cannot allocate ahead: when others fill the disk at the wrong moment, the engine stops");
      return;
    }
    const bool is_full = error == ENOSPC || error == EDQUOT || error == EFBIG;
    if (is_full && piece > piece_min) {
      piece /= 2;
      continue;
    }
    if (!is_full && std::exchange(told_, error) != error && log_line_)
      log_line_("no space can be allocated for " + path_.string() + ": " + std::strerror(error) + "; check the disk");
    return;
  }
}

void Reserve::believe_free_space(std::uint64_t used) {
  struct statvfs disk {};
  const auto free = ::fstatvfs(file_, &disk) == 0 ? std::uint64_t{disk.f_bavail} * disk.f_frsize : 0;
  end_ = std::min(limit_, used + free);
}

}  // namespace bobbin::storage
