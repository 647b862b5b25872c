// What the recorder (recorder.cpp), loaded before the C library of a process under test, writes down of the changes
// that the process makes to files below a directory. The drill reads it and says what a power cut could have left of
// them.
#pragma once

#include <cstdint>

namespace bobbin::drill {

// Where the recorder finds the recording's name, and the directory below which it records.
inline constexpr auto recording_variable = "BOBBIN_RECORDING";
inline constexpr auto recorded_directory_variable = "BOBBIN_RECORDED_DIRECTORY";
// The call of that number, counted from 1, among its syncs and synchronous writes fails with EIO: a sync without having
// done anything, a write with its bytes in the page cache. Nothing fails if it is not set.
inline constexpr auto failing_sync_variable = "BOBBIN_FAILING_SYNC";

// Writes and syncs stand in the recording twice: before the call, and again as `returned`, for what they do may happen
// at any moment between. The others are written down when they have been done.
enum class Op : std::uint32_t {
  write = 1,       // `bytes` of data follow; a synchronous one is durable once it has returned
  sync = 2,        // of a file or a directory
  returned = 3,    // the write or sync of that call number; `result` is the call's, below 0 for a failure
  size_set = 4,    // to `offset`
  file_added = 5,  // `path` names the new file `inode`
  folder_added = 6,
  renamed = 7,  // `path` is called `other_path` now
  removed = 8,
  unsupported = 9,  // a change of which the model knows nothing, in `path`
};

// In the recording's order, each followed by its path, its other path and its data.
struct OperationHead {
  static constexpr std::uint32_t right_magic = 0x4F504552;

  std::uint32_t magic = right_magic;
  Op op = Op::returned;
  std::uint64_t call = 0;  // process id and a count
  std::uint64_t inode = 0;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  std::int64_t result = 0;
  std::uint32_t synchronous = 0;
  std::uint32_t path_bytes = 0;
  std::uint32_t other_path_bytes = 0;
  std::uint32_t of_folder = 0;
};

}  // namespace bobbin::drill
