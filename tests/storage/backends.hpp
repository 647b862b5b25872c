// The stores that the conformance suite runs against.
#pragma once

#include <bobbin/lmdb.hpp>
#include <bobbin/memory_store.hpp>

#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>

namespace bobbin::test {

// A directory of its own that goes with the object.
class TempDirectory {
 public:
  TempDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "bobbin-storage-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw std::runtime_error("no temporary directory");
    path_ = name;
  }
  ~TempDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// One log on one backend; opening it again sees what was committed.
struct LmdbBackend {
  std::unique_ptr<Store> open() { return open_lmdb(directory.path() / "log"); }
  TempDirectory directory;
};

struct MemoryBackend {
  std::unique_ptr<Store> open() { return disk->open(); }
  std::shared_ptr<MemoryDisk> disk = MemoryDisk::create();
};

// The types of a conformance test, which runs once on each.
#define STORES LmdbBackend, MemoryBackend

}  // namespace bobbin::test
