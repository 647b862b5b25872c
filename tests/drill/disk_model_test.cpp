// The model of a disk when the power goes: what may be lost, and what may not.
#include "tools/drill/power/disk_model.hpp"

#include <doctest/doctest.h>

#include <set>

namespace bobbin::drill {

namespace {

constexpr std::uint64_t seeds = 2'000;
constexpr std::uint64_t inode = 7;

// Operations made by hand on one file, "log/data", below the root.
class Disk {
 public:
  explicit Disk(DiskModel::Syncs syncs = DiskModel::Syncs::honest) : model_("/root", syncs) {
    take(head(Op::folder_added), "/root/log");
    take(head(Op::file_added), "/root/log/data");
  }

  std::uint64_t begin_write(std::uint64_t offset, const std::string& data, bool synchronous = false) {
    auto operation = head(Op::write);
    operation.call = ++call_;
    operation.offset = offset;
    operation.bytes = data.size();
    operation.synchronous = synchronous;
    take(operation, "/root/log/data", {}, data);
    return call_;
  }
  std::uint64_t begin_sync() {
    auto operation = head(Op::sync);
    operation.call = ++call_;
    take(operation, "/root/log/data");
    return call_;
  }
  void end(std::uint64_t call, std::int64_t result = 0) {
    auto operation = head(Op::returned);
    operation.call = call;
    operation.result = result;
    take(operation, {});
  }
  void write(std::uint64_t offset, const std::string& data, bool synchronous = false) {
    end(begin_write(offset, data, synchronous), static_cast<std::int64_t>(data.size()));
  }
  void sync(std::int64_t result = 0) { end(begin_sync(), result); }
  void sync_folder(const std::string& path) {
    auto operation = head(Op::sync);
    operation.call = ++call_;
    operation.of_folder = 1;
    take(operation, path);
    end(call_);
  }
  void sync_names() {
    sync_folder("/root");
    sync_folder("/root/log");
  }
  void rename(const std::string& to) { take(head(Op::renamed), "/root/log/data", to); }
  void set_size(std::uint64_t bytes) {
    auto operation = head(Op::size_set);
    operation.offset = bytes;
    take(operation, "/root/log/data");
  }

  // All contents that the file was seen with, over many images; "none" where it is not there.
  std::set<std::string> images(const std::string& name = "log/data") const {
    std::set<std::string> seen;
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
      const auto image = model_.image(seed);
      const auto file = image.files.find(name);
      seen.insert(file == image.files.end() ? "none" : text(file->second));
    }
    return seen;
  }

 private:
  static std::string text(const FileBytes& bytes) {
    std::string text(bytes.size(), '\0');
    bytes.read(0, text);
    return text;
  }
  static OperationHead head(Op op) {
    OperationHead head;
    head.op = op;
    head.inode = inode;
    return head;
  }
  void take(const OperationHead& head, std::string_view path, std::string_view other = {}, std::string_view data = {}) {
    model_.take({head, path, other, data, 0});
  }

  DiskModel model_;
  std::uint64_t call_ = 0;
};

std::string sectors(const std::string& letters) {
  std::string text;
  for (const char letter : letters) text += std::string(sector_bytes, letter);
  return text;
}

// With two sectors of "aa" durable under a durable name.
Disk prepared(DiskModel::Syncs syncs = DiskModel::Syncs::honest) {
  Disk disk(syncs);
  disk.write(0, sectors("aa"));
  disk.sync();
  disk.sync_names();
  return disk;
}

using Images = std::set<std::string>;

}  // namespace

TEST_CASE("what was written before a completed sync is there") { CHECK(prepared().images() == Images{sectors("aa")}); }

TEST_CASE("of what was not synced every sector is old or new, whatever the others are") {
  auto disk = prepared();
  disk.write(0, sectors("bb"));
  CHECK(disk.images() == Images{sectors("aa"), sectors("ab"), sectors("ba"), sectors("bb")});
  disk.sync();
  CHECK(disk.images() == Images{sectors("bb")});
}

TEST_CASE("of several unsynced writes any may have reached the disk last") {
  auto disk = prepared();
  disk.write(0, sectors("b"));
  disk.write(0, sectors("c"));
  CHECK(disk.images() == Images{sectors("aa"), sectors("ba"), sectors("ca")});
}

TEST_CASE("a sync that has not returned, or failed, guarantees nothing") {
  auto disk = prepared();
  disk.write(0, sectors("b"));
  const auto call = disk.begin_sync();
  CHECK(disk.images() == Images{sectors("aa"), sectors("ba")});
  disk.end(call, -1);
  CHECK(disk.images() == Images{sectors("aa"), sectors("ba")});
}

TEST_CASE("a sync does not cover what was written, or had not returned, while it ran") {
  auto disk = prepared();
  const auto write = disk.begin_write(0, sectors("b"));
  const auto sync = disk.begin_sync();
  disk.write(sector_bytes, sectors("b"));
  disk.end(write, sector_bytes);
  disk.end(sync);
  CHECK(disk.images() == Images{sectors("aa"), sectors("ab"), sectors("ba"), sectors("bb")});
}

TEST_CASE("a synchronous write is durable once it has returned, and takes no other along") {
  auto disk = prepared();
  disk.write(0, sectors("b"));
  const auto call = disk.begin_write(sector_bytes, sectors("b"), true);
  CHECK(disk.images().size() == 4);
  disk.end(call, sector_bytes);
  CHECK(disk.images() == Images{sectors("ab"), sectors("bb")});
}

TEST_CASE("a write that failed may have made the file longer, which the next sync settles") {
  auto disk = prepared();
  disk.end(disk.begin_write(2 * sector_bytes, sectors("b")), -1);
  disk.write(2 * sector_bytes, sectors("c"));
  disk.sync();
  CHECK(disk.images() == Images{sectors("aac")});
}

TEST_CASE("a write that failed stays uncertain behind a sync") {
  auto disk = prepared();
  disk.end(disk.begin_write(0, sectors("b")), -1);
  disk.sync();
  CHECK(disk.images() == Images{sectors("aa"), sectors("ba")});
}

TEST_CASE("what a failed sync should have covered stays uncertain behind later syncs, until it is written again") {
  auto disk = prepared();
  disk.write(0, sectors("bb"));
  disk.sync(-1);
  disk.sync();
  CHECK(disk.images() == Images{sectors("aa"), sectors("ab"), sectors("ba"), sectors("bb")});
  disk.write(0, sectors("c"));
  disk.sync();
  CHECK(disk.images() == Images{sectors("ca"), sectors("cb")});
}

TEST_CASE("zeros written ahead of the end are as uncertain as their size, and so is what is written into them") {
  auto disk = prepared();
  disk.write(2 * sector_bytes, std::string(2 * sector_bytes, '\0'));
  CHECK(disk.images() == Images{sectors("aa"), sectors("aa") + std::string(2 * sector_bytes, '\0')});
  disk.sync();
  CHECK(disk.images() == Images{sectors("aa") + std::string(2 * sector_bytes, '\0')});
  disk.write(2 * sector_bytes, sectors("b"));
  CHECK(disk.images() ==
        Images{sectors("aa") + std::string(2 * sector_bytes, '\0'), sectors("aab") + std::string(sector_bytes, '\0')});
}

TEST_CASE("a file may have any size that it had since its last sync") {
  auto disk = prepared();
  disk.write(2 * sector_bytes, sectors("b"));
  const auto images = disk.images();
  CHECK(images.contains(sectors("aa")));
  CHECK(images.contains(sectors("aab")));
  CHECK(images.contains(sectors("aa") + std::string(sector_bytes, '\0')));
  disk.set_size(sector_bytes);
  disk.sync();
  CHECK(disk.images() == Images{sectors("a")});
}

TEST_CASE("a name is durable once its directory is synced; a renamed file has one name") {
  Disk disk;
  disk.write(0, sectors("a"));
  disk.sync();
  CHECK(disk.images() == Images{"none", sectors("a")});
  disk.sync_names();
  disk.rename("/root/data");
  CHECK(disk.images() == Images{"none", sectors("a")});
  CHECK(disk.images("data") == Images{"none", sectors("a")});
  disk.sync_folder("/root");
  CHECK(disk.images() == Images{"none"});
  CHECK(disk.images("data") == Images{sectors("a")});
}

TEST_CASE("a disk that lies about its flushes keeps nothing for certain") {
  CHECK(prepared(DiskModel::Syncs::ignored).images().size() > 1);
}

}  // namespace bobbin::drill
