// What a test tells the preload library in another process, in a file that both have mapped.
#pragma once

#include <atomic>
#include <cstdint>

namespace bobbin::faults {

// Where the library finds the file's name.
inline constexpr auto control_variable = "BOBBIN_FAULTS";

enum class Target : std::uint32_t {
  none,
  any,         // each write to the log's data file, each sync of it or of its directory
  write,       // to the data file
  meta_write,  // to the data file through a descriptor that syncs each write: LMDB's way to its meta pages
  sync,
};

enum class Fault : std::uint32_t {
  eio,
  enospc,
  cut_short,  // of a write only half is written; a sync fails with EIO
};

struct FaultControl {
  // Calls are counted from 1 since the target was set; that one fails, and with `lasting` all behind it.
  std::atomic<Target> target{Target::none};
  std::atomic<Fault> fault{Fault::eio};
  std::atomic<bool> lasting{false};
  std::atomic<std::uint64_t> failing_call{0};
  std::atomic<std::uint64_t> calls{0};
  std::atomic<std::uint64_t> failed{0};
  // Added to what the wall clock says.
  std::atomic<std::int64_t> wall_offset_us{0};
  // Only files below this directory are touched.
  char directory[256] = {};
};

}  // namespace bobbin::faults
