// The log on disk: a directory that holds an LMDB environment. One process writes; others may read beside it.
#pragma once

#include <bobbin/inspection.hpp>
#include <bobbin/store.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string_view>

namespace bobbin {

struct LmdbOptions {
  // Address space reserved for the log, and so its largest size; costs no memory. May grow from one open to the next.
  // Its end counts like a full disk (S26), which is ridden out; with less than 8 MiB an engine accepts nothing.
  std::uint64_t map_size_bytes = std::uint64_t{64} << 30;
  // Make the directory's last component and an empty log when there is none.
  bool create = true;
  // Gets a line for people now and then while the log is opened, and about the disk's room later, on the thread that
  // commits. May be empty.
  std::function<void(std::string_view)> log_line;
};

// Opens the log in `directory` for an engine. On return all that is in it is durable, and the newest records' checksums
// have been checked. It stays open, and owned by this process, until the store and its last snapshot are gone.
//
// Throws Locked (naming the process) when it is open elsewhere or already in this process, NotFound when there is none
// and none is to be made, UnsupportedFormat, Corrupt (naming what and where), InvalidArgument when the directory cannot
// be used, StorageFull, OutcomeUnknown when a sync fails. Must not be used over a fork, nor on a network file system.
std::unique_ptr<Store> open_lmdb(const std::filesystem::path& directory, const LmdbOptions& options = {});

// Opens it for reading, beside a process that writes or alone; never changes a record or row. Needs write access to the
// lock file, in which readers announce what they look at. Throws as open_lmdb does; Locked only when this very process
// has it open.
std::unique_ptr<LogReader> open_lmdb_read_only(const std::filesystem::path& directory);

}  // namespace bobbin
