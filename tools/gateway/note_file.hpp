// A small file of notes for the next process. Every failure is a std::system_error that says what to look at.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace bobbin::gateway {

class NoteFile {
 public:
  explicit NoteFile(std::filesystem::path path);
  ~NoteFile();
  NoteFile(const NoteFile&) = delete;
  NoteFile& operator=(const NoteFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  bool is_open() const { return descriptor_ >= 0; }
  // Makes it if it is not there. Nothing if it is open.
  void open();

  // Of an open file.
  void write(const std::string& text, std::uint64_t at);
  void truncate(std::uint64_t size);
  void sync();
  // So that the file is found after a power cut, too.
  void sync_name();

  // Puts a file of this content in its place; nothing has changed if it throws. The name is not synced.
  void replace(const std::string& text);

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
};

}  // namespace bobbin::gateway
