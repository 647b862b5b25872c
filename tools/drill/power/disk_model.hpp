// What a disk may hold after a power cut, as a function of the operations before it.
//
// - A sector of 512 bytes is whole. Of those written since the file's last completed sync each may hold what was
//   durable before, or what any later write has put there, whatever the others hold.
// - A sync makes durable what had been written, by calls that had returned, when it began; a synchronous write its own
//   bytes, once it has returned. Neither says anything about other files.
// - A sync that failed guarantees nothing, and no later one does for what it should have covered: the system may have
//   given that up. Nor does any sync for a write that failed, or whose process ended within it.
// - A file's size is one of those that it had since its last completed sync.
// - Names (created, renamed, removed) are durable once a directory of theirs is synced; until then each may be lost
//   with all that came after it: file systems keep their order.
#pragma once

#include "tools/drill/power/file_bytes.hpp"
#include "tools/drill/power/operations.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace bobbin::drill {

inline constexpr std::size_t sector_bytes = 512;

struct DiskImage {
  std::map<std::string, FileBytes> files;  // by name, relative to the root
  std::set<std::string> folders;
  bool torn = false;  // of a page of 4 KiB some sectors are new, others old

  // Below `target`, which is emptied before. Throws std::runtime_error if it cannot.
  void write(const std::filesystem::path& target) const;
};

class DiskModel {
 public:
  enum class Syncs { honest, ignored };  // ignored: a disk that says it has flushed, and has not

  // Of the files below `root`, an absolute path.
  explicit DiskModel(std::filesystem::path root, Syncs syncs = Syncs::honest);

  // What is below the root now is durable.
  void begin_with_files();
  // Throws std::runtime_error for an operation that the model does not know.
  void take(const Operation& operation);
  // The first name below that folder, relative to the root, under which there is something else now than a reader
  // should see: operations are missing then. Empty if there is none. LMDB's lock file is written through a map, which
  // no recorder sees, and holds nothing that outlives its processes.
  std::string untold(const std::string& folder) const;
  // One of the possible images: a function of what was taken and of `seed`.
  DiskImage image(std::uint64_t seed) const;

 private:
  using Sector = std::array<char, sector_bytes>;
  struct Version {
    std::uint64_t order = 0;              // of the write
    std::shared_ptr<const Sector> bytes;  // none: zeros
  };
  struct SizeVersion {
    std::uint64_t order = 0;
    std::uint64_t bytes = 0;
  };
  struct File {
    bool folder = false;
    FileBytes seen;     // by a reader now
    FileBytes durable;  // sectors, those behind the durable size included
    std::uint64_t durable_size = 0;
    std::map<std::uint64_t, std::vector<Version>> uncertain;  // by sector, oldest first
    std::vector<SizeVersion> uncertain_sizes;
  };
  using FilePtr = std::shared_ptr<File>;
  using Names = std::map<std::string, FilePtr>;
  struct NameChange {
    std::uint64_t order = 0;
    std::string name;        // as it was before; empty: there was none
    std::string other_name;  // as it is from now on; empty: there is none
    FilePtr file;            // of an added one
  };
  struct Call {
    FilePtr file;
    Op op = Op::write;
    bool synchronous = false;
    std::uint64_t order = 0;
    std::uint64_t bytes = 0;
    std::string folder;                  // of a directory's sync
    std::uint64_t end = 0;               // of a write, in the file
    std::set<std::uint64_t> unreturned;  // writes, when this sync began
  };
  class Draw;

  static std::string_view view(const Sector* bytes);  // of a version
  std::string relative(std::string_view path) const;
  const FilePtr& file_of(std::uint64_t inode);
  void write(const Operation& operation);
  void put(File& file, std::uint64_t offset, std::string_view data, std::uint64_t order);
  void set_size(File& file, std::uint64_t bytes);
  void begin_sync(const Operation& operation);
  void returned(const OperationHead& head);
  void give_up(const Call& failed_sync);
  void write_returned(const Call& call, std::int64_t result);
  void sync_returned(const Call& call, std::int64_t result);
  template <class Covers>
  static void make_durable(File& file, const Covers& covers);
  template <class Covers>
  static void make_size_durable(File& file, const Covers& covers);
  void make_names_durable(const std::string& folder, std::uint64_t before);
  void change_names(NameChange change);
  static void apply(Names& names, const NameChange& change);

  std::filesystem::path root_;
  Syncs syncs_;
  std::uint64_t order_ = 0;
  std::map<std::uint64_t, FilePtr> files_;  // by inode
  Names durable_names_;                     // relative to the root
  std::vector<NameChange> uncertain_names_;
  std::map<std::uint64_t, Call> calls_;  // begun, not returned
  std::set<std::uint64_t> unreturned_;   // orders of writes that have not
  std::set<std::uint64_t> given_up_;     // orders of what no sync covers any more
};

}  // namespace bobbin::drill
