#include "tools/gateway/note_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

namespace bobbin::gateway {

namespace {

[[noreturn]] void fail(int error, const char* what, const std::filesystem::path& path) {
  throw std::system_error(error, std::generic_category(),
                          "check the disk, or the rights on it: cannot " + std::string(what) + " " + path.string());
}

}  // namespace

NoteFile::NoteFile(std::filesystem::path path) : path_(std::move(path)) {}

NoteFile::~NoteFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void NoteFile::open() {
  if (is_open()) return;
  const int descriptor = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) fail(errno, "open", path_);
  descriptor_ = descriptor;
}

void NoteFile::write(const std::string& text, std::uint64_t at) {
  const auto written = ::pwrite(descriptor_, text.data(), text.size(), static_cast<off_t>(at));
  if (written == static_cast<ssize_t>(text.size())) return;
  fail(written < 0 ? errno : ENOSPC, "write", path_);  // a short write: there was no more room
}

void NoteFile::truncate(std::uint64_t size) {
  if (::ftruncate(descriptor_, static_cast<off_t>(size)) != 0) fail(errno, "truncate", path_);
}

void NoteFile::sync() {
  if (::fdatasync(descriptor_) != 0) fail(errno, "sync", path_);
}

void NoteFile::sync_name() {
  const auto directory = path_.parent_path();
  const int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const int error = descriptor < 0 || ::fsync(descriptor) != 0 ? errno : 0;
  if (descriptor >= 0) ::close(descriptor);
  if (error != 0) fail(error, "sync", directory);
}

void NoteFile::replace(const std::string& text) {
  NoteFile aside(path_.string() + ".new");
  aside.open();
  aside.truncate(0);
  aside.write(text, 0);
  aside.sync();
  if (std::rename(aside.path_.c_str(), path_.c_str()) != 0) fail(errno, "replace", path_);
  std::swap(descriptor_, aside.descriptor_);
}

}  // namespace bobbin::gateway
