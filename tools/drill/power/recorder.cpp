// Goes before the C library in a process under test (LD_PRELOAD): appends each change that it makes to files below a
// directory to a recording. Each entry is one write to a descriptor in append mode, so entries of threads do not mix.
#include "tools/drill/power/recording.hpp"
#include "tools/drill/preload/file_calls.hpp"
#include "tools/drill/preload/real.hpp"

#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace {

using bobbin::drill::Op;
using bobbin::drill::OperationHead;
using bobbin::drill::real;

constexpr std::size_t path_max = 1024;
constexpr int pieces_max = 1000;  // a call takes some more, which the entry's own parts need

struct Recording {
  int file = -1;
  std::string_view directory;

  Recording() {
    const char* name = std::getenv(bobbin::drill::recording_variable);
    const char* below = std::getenv(bobbin::drill::recorded_directory_variable);
    if (!name || !below) return;
    directory = below;
    file = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
  }
  bool on() const { return file >= 0; }
  bool holds(std::string_view path) const {
    return path.starts_with(directory) && (path.size() == directory.size() || path[directory.size()] == '/');
  }
};

const Recording& recording() {
  static const Recording opened;
  return opened;
}

// A recording with a hole would tell lies.
[[noreturn]] void give_up() {
  constexpr char complaint[] = "the recorder cannot write its recording\n";
  ::syscall(SYS_write, STDERR_FILENO, complaint, sizeof complaint - 1);
  std::abort();
}

void append(OperationHead head, std::string_view path, std::string_view other_path, const iovec* data = nullptr,
            int pieces = 0) {
  head.path_bytes = static_cast<std::uint32_t>(path.size());
  head.other_path_bytes = static_cast<std::uint32_t>(other_path.size());
  iovec parts[3 + pieces_max];
  const auto view = [](std::string_view text) { return iovec{const_cast<char*>(text.data()), text.size()}; };
  parts[0] = {&head, sizeof head};
  parts[1] = view(path);
  parts[2] = view(other_path);
  for (int i = 0; i < pieces; ++i) parts[3 + i] = data[i];
  const auto size = sizeof head + path.size() + other_path.size() + (data ? head.bytes : 0);
  if (::syscall(SYS_writev, recording().file, parts, 3 + pieces) != static_cast<long>(size)) give_up();
}

std::uint64_t next_call() {
  static std::atomic<std::uint32_t> count{0};
  return std::uint64_t{static_cast<std::uint32_t>(::getpid())} << 32 | ++count;
}

bool next_sync_fails() {
  static std::atomic<std::uint64_t> count{0};
  static const char* const failing = std::getenv(bobbin::drill::failing_sync_variable);
  return failing && ++count == std::strtoull(failing, nullptr, 10);
}

int failed_sync() {
  errno = EIO;
  return -1;
}

struct Place {
  bool recorded = false;
  bool folder = false;
  std::uint64_t inode = 0;
  char text[path_max];
  std::size_t size = 0;
  std::string_view path() const { return {text, size}; }
};

void look_up(int file, Place& place) {
  if (!recording().on()) return;
  const int error = errno;
  char link[32];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  const auto size = ::readlink(link, place.text, sizeof place.text);
  place.size = size > 0 ? static_cast<std::size_t>(size) : 0;
  struct stat status {};
  place.recorded = size > 0 && recording().holds(place.path()) && ::fstat(file, &status) == 0;
  place.inode = status.st_ino;
  place.folder = S_ISDIR(status.st_mode);
  errno = error;
}

// A path as the caller gives it, made absolute.
void look_up(int folder, const char* name, Place& place) {
  if (!recording().on()) return;
  const int error = errno;
  char base[path_max] = "";
  if (name[0] != '/') {
    char link[32] = "/proc/self/cwd";
    if (folder != AT_FDCWD) std::snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
    const auto size = ::readlink(link, base, sizeof base - 2);
    base[size > 0 ? size : 0] = '\0';
    std::strcat(base, "/");
  }
  const auto size = std::snprintf(place.text, sizeof place.text, "%s%s", base, name);
  place.size = std::min(static_cast<std::size_t>(size), sizeof place.text - 1);
  place.recorded = recording().holds(place.path());
  errno = error;
}

template <class Call>
auto recorded_twice(OperationHead head, const Place& place, const iovec* data, int pieces, const Call& call) {
  head.call = next_call();
  head.inode = place.inode;
  append(head, place.path(), {}, data, pieces);
  const auto result = call();
  const int error = errno;
  OperationHead end;
  end.call = head.call;
  end.result = result;
  append(end, {}, {});
  errno = error;
  return result;
}

void note(Op op, const Place& place, std::string_view other_path = {}, std::uint64_t offset = 0) {
  const int error = errno;
  OperationHead head;
  head.op = op;
  head.inode = place.inode;
  head.offset = offset;
  append(head, place.path(), other_path);
  errno = error;
}

bool has_mode(int flags) { return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE; }

// Notes what an open has done to the names and the size; `call` answers a descriptor.
template <class Call>
void noted_open(int folder, const char* name, int flags, const Call& call) {
  Place place;
  if ((flags & (O_CREAT | O_TRUNC)) != 0) look_up(folder, name, place);
  struct stat status {};
  const bool there = place.recorded && ::fstatat(folder, name, &status, 0) == 0;
  const int file = call();
  if (!place.recorded || file < 0 || ::fstat(file, &status) != 0) return;
  place.inode = status.st_ino;
  if (!there) note(Op::file_added, place);
  if (there && (flags & O_TRUNC) != 0) note(Op::size_set, place, {}, 0);
}

int opened(int folder, const char* name, int flags, mode_t mode) {
  static const auto pass_on = real<int (*)(int, const char*, int, ...)>("openat64");
  int file = -1;
  noted_open(folder, name, flags, [&] { return file = pass_on(folder, name, flags, mode); });
  return file;
}

// What C++ streams are opened with; they write by write() and writev().
FILE* stream_opened(const char* name, const char* mode) {
  static const auto pass_on = real<FILE* (*)(const char*, const char*)>("fopen64");
  const int flags = mode[0] == 'w' ? O_CREAT | O_TRUNC : mode[0] == 'a' ? O_CREAT : 0;
  FILE* stream = nullptr;
  noted_open(AT_FDCWD, name, flags, [&] {
    stream = pass_on(name, mode);
    return stream ? ::fileno(stream) : -1;
  });
  return stream;
}

int removed(int folder, const char* name, int result) {
  Place place;
  if (result == 0) look_up(folder, name, place);
  if (place.recorded) note(Op::removed, place);
  return result;
}

int folder_added(int folder, const char* name, int result) {
  Place place;
  if (result == 0) look_up(folder, name, place);
  if (place.recorded) note(Op::folder_added, place);
  return result;
}

int renamed(int folder, const char* name, int other_folder, const char* other_name, int result) {
  Place place;
  Place other;
  if (result != 0) return result;
  look_up(folder, name, place);
  look_up(other_folder, other_name, other);
  if (place.recorded || other.recorded) note(Op::renamed, place, other.path());
  return result;
}

int size_set(int file, off64_t size, int result) {
  Place place;
  if (result == 0) look_up(file, place);
  if (place.recorded) note(Op::size_set, place, {}, static_cast<std::uint64_t>(size));
  return result;
}

// What it reserves behind the end of a file is no content, and may be lost.
int reserved(int file, int mode, int result) {
  if (result != 0 || mode == FALLOC_FL_KEEP_SIZE) return result;
  Place place;
  look_up(file, place);
  struct stat status {};
  if (!place.recorded || ::fstat(file, &status) != 0) return result;
  note(mode == 0 ? Op::size_set : Op::unsupported, place, {}, static_cast<std::uint64_t>(status.st_size));
  return result;
}

}  // namespace

ssize_t bobbin::drill::on_write(const FileWrite& call) {
  Place place;
  look_up(call.file, place);
  if (!place.recorded) return call.pass_on();
  if (call.count > pieces_max) give_up();
  OperationHead head;
  head.op = Op::write;
  for (int i = 0; i < call.count; ++i) head.bytes += call.pieces[i].iov_len;
  const int flags = ::fcntl(call.file, F_GETFL);
  head.synchronous = (flags & O_DSYNC) != 0;
  struct stat status {};
  auto offset = call.offset;
  if (offset < 0 && (flags & O_APPEND) != 0 && ::fstat(call.file, &status) == 0) offset = status.st_size;
  head.offset = static_cast<std::uint64_t>(offset >= 0 ? offset : ::lseek64(call.file, 0, SEEK_CUR));
  const bool fails = head.synchronous && next_sync_fails();
  return recorded_twice(head, place, call.pieces, call.count, [&] {
    const auto result = call.pass_on();
    return fails ? failed_sync() : result;
  });
}

int bobbin::drill::on_sync(const FileSync& call) {
  Place place;
  look_up(call.file, place);
  if (!place.recorded) return call.pass_on();
  OperationHead head;
  head.op = Op::sync;
  head.of_folder = place.folder;
  const bool fails = next_sync_fails();
  return recorded_twice(head, place, nullptr, 0, [&] { return fails ? failed_sync() : call.pass_on(); });
}

extern "C" {

int ftruncate(int file, off_t size) noexcept {
  return size_set(file, size, real<int (*)(int, off64_t)>("ftruncate64")(file, size));
}
int ftruncate64(int file, off64_t size) noexcept {
  return size_set(file, size, real<int (*)(int, off64_t)>("ftruncate64")(file, size));
}
int fallocate(int file, int mode, off_t offset, off_t bytes) {
  return reserved(file, mode, real<int (*)(int, int, off64_t, off64_t)>("fallocate64")(file, mode, offset, bytes));
}
int fallocate64(int file, int mode, off64_t offset, off64_t bytes) {
  return reserved(file, mode, real<int (*)(int, int, off64_t, off64_t)>("fallocate64")(file, mode, offset, bytes));
}

int open(const char* name, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const auto mode = has_mode(flags) ? va_arg(more, mode_t) : 0;
  va_end(more);
  return opened(AT_FDCWD, name, flags, mode);
}
int open64(const char* name, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const auto mode = has_mode(flags) ? va_arg(more, mode_t) : 0;
  va_end(more);
  return opened(AT_FDCWD, name, flags, mode);
}
int openat(int folder, const char* name, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const auto mode = has_mode(flags) ? va_arg(more, mode_t) : 0;
  va_end(more);
  return opened(folder, name, flags, mode);
}

FILE* fopen(const char* name, const char* mode) { return stream_opened(name, mode); }
FILE* fopen64(const char* name, const char* mode) { return stream_opened(name, mode); }

int mkdir(const char* name, mode_t mode) noexcept {
  return folder_added(AT_FDCWD, name, real<int (*)(const char*, mode_t)>("mkdir")(name, mode));
}
int rename(const char* name, const char* other_name) noexcept {
  return renamed(AT_FDCWD, name, AT_FDCWD, other_name,
                 real<int (*)(const char*, const char*)>("rename")(name, other_name));
}
int renameat(int folder, const char* name, int other_folder, const char* other_name) noexcept {
  return renamed(folder, name, other_folder, other_name,
                 real<int (*)(int, const char*, int, const char*)>("renameat")(folder, name, other_folder, other_name));
}
int unlink(const char* name) noexcept { return removed(AT_FDCWD, name, real<int (*)(const char*)>("unlink")(name)); }
int unlinkat(int folder, const char* name, int flags) noexcept {
  return removed(folder, name, real<int (*)(int, const char*, int)>("unlinkat")(folder, name, flags));
}
int rmdir(const char* name) noexcept { return removed(AT_FDCWD, name, real<int (*)(const char*)>("rmdir")(name)); }
int remove(const char* name) noexcept { return removed(AT_FDCWD, name, real<int (*)(const char*)>("remove")(name)); }
}
