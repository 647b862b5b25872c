#include "storage/lmdb/probe.hpp"

#include "storage/lmdb/failure.hpp"
#include "storage/lmdb/files.hpp"
#include "storage/lmdb/layout.hpp"

#include <bobbin/error.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <string>

namespace bobbin::storage {

namespace {

using namespace layout;

constexpr std::uint64_t map_bytes_max = std::uint64_t{1} << 47;  // what a process can address

// A writer may go on between the readings of the two pages.
constexpr int tries_to_read = 10;

class Probe {
 public:
  explicit Probe(const std::filesystem::path& path) : path_(path), file_(path, O_RDONLY) {}

  void run() {
    check_machine();
    const auto page_size = read(0).free_pages.page_size;
    if (page_size < 512 || page_size > 65536 || (page_size & (page_size - 1)) != 0)
      damaged(0, "its page size is impossible");
    for (int left = tries_to_read; left > 0; --left) {
      const auto first = read(0);
      const auto second = read(page_size);
      check_kind(first, 0);
      check_kind(second, 1);
      const int newest = first.transaction > second.transaction ? 0 : 1;
      // Transactions take turns on the two pages; a damaged number would hide the newest one.
      if (std::max(first.transaction, second.transaction) != std::min(first.transaction, second.transaction) + 1)
        continue;
      // The other one is not looked at: a commit that failed may have left anything there.
      return check(newest == 0 ? first : second, newest, page_size);
    }
    damaged(0, "its transaction is not one before or after that of meta page 1");
  }

 private:
  [[noreturn]] void damaged(int page, const std::string& why) const {
    throw CorruptLog("meta page " + std::to_string(page) + " of " + path_.string() + " is damaged: " + why +
                     "; restore a backup");
  }

  MetaPage read(std::uint64_t offset) const {
    MetaPage page{};
    const auto size = ::pread(file_.number(), &page, sizeof page, static_cast<off_t>(offset));
    if (size < 0) throw_failure(errno, "reading", path_);
    if (size != sizeof page) damaged(offset == 0 ? 0 : 1, "the file ends before it");
    return page;
  }

  // Where the magic number stands, and in which order, shows the machine's word size and byte order.
  void check_machine() const {
    std::uint32_t words[6] = {};
    if (::pread(file_.number(), words, sizeof words, 0) != sizeof words) damaged(0, "the file ends before it");
    const bool swapped = words[4] == __builtin_bswap32(magic) || words[3] == __builtin_bswap32(magic);
    if (swapped || (words[3] == magic && words[4] != magic))
      throw UnsupportedFormat(path_.string() +
                              " was written on a machine with another byte order or word size; read it there");
  }

  void check_kind(const MetaPage& page, int number) const {
    if (page.magic != magic) damaged(number, "it does not begin as one of LMDB");
    if (page.version != data_version)
      throw UnsupportedFormat(path_.string() + " has LMDB's data version " + std::to_string(page.version) +
                              ", expected " + std::to_string(data_version) +
                              "; open it with the version that wrote it");
    if (page.transaction % 2 != static_cast<std::uint64_t>(number)) damaged(number, "it has the other's number");
  }

  void check(const MetaPage& page, int number, std::uint64_t page_size) const {
    struct stat status {};
    if (::fstat(file_.number(), &status) != 0) throw_failure(errno, "reading", path_);
    const auto pages = static_cast<std::uint64_t>(status.st_size) / page_size;
    if (page.free_pages.page_size != page_size) damaged(number, "its page size is not that of the other one");
    if (page.map_size > map_bytes_max) damaged(number, "its map is impossibly large");
    if (page.last_page > map_bytes_max / page_size) damaged(number, "its last page is impossible");
    check(page.free_pages, number, pages, page.last_page);
    check(page.main, number, pages, page.last_page);
  }

  void check(const Tree& tree, int number, std::uint64_t pages, std::uint64_t last_page) const {
    if (tree.depth > tree_depth_max) damaged(number, "a tree is impossibly deep");
    if (tree.root == no_page) return;
    if (tree.root > last_page || tree.root < first_tree_page) damaged(number, "a tree's root is no page of the file");
    if (tree.root >= pages) damaged(number, "a tree's root lies behind the end of the file, which has been cut");
  }

  const std::filesystem::path& path_;
  FileDescriptor file_;
};

}  // namespace

void probe_environment(const std::filesystem::path& data_file) { Probe(data_file).run(); }

}  // namespace bobbin::storage
