// Space for the log's growth, taken from the file system before it is needed (S26): a commit that meets a full disk
// fails in a way that tells nothing about its outcome, so none may ever meet one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace bobbin::storage {

// Blocks are allocated beyond the file's end, without changing its size; they stay the file's over any death of the
// process, and to ask for them again costs nothing. On file systems that cannot do this, the free space is believed.
// One thread at a time.
class Reserve {
 public:
  // `data_file` stays open as long as this. The file needs nothing up to `used`, and never grows beyond `limit`.
  Reserve(int data_file, std::filesystem::path path, std::uint64_t used, std::uint64_t limit,
          std::function<void(std::string_view)> log_line);

  // The file can grow up to here, whatever happens to the rest of the disk.
  std::uint64_t end() const { return end_; }
  // False: end() is what the disk had free when it was asked.
  bool is_sure() const { return can_allocate_; }
  // As long as there is so much beyond what is wanted, extend() need not be called.
  std::uint64_t spare() const;
  // Tries to move end() to `wanted` or, in order to be asked seldom, beyond. The file is used up to `used`.
  void extend(std::uint64_t used, std::uint64_t wanted);

 private:
  void allocate(std::uint64_t wanted);
  void believe_free_space(std::uint64_t used);

  int file_;
  std::filesystem::path path_;
  std::uint64_t limit_;
  std::uint64_t end_;
  std::uint64_t step_;
  std::function<void(std::string_view)> log_line_;
  bool can_allocate_ = true;
  int told_ = 0;  // the error that was reported last
};

}  // namespace bobbin::storage
