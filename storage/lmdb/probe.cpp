#include "storage/lmdb/probe.hpp"

#include "storage/lmdb/failure.hpp"
#include "storage/lmdb/files.hpp"

#include <bobbin/error.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>

namespace bobbin::storage {

namespace {

constexpr std::uint32_t lmdb_magic = 0xBEEFC0DE;
constexpr std::uint32_t lmdb_data_version = 1;
constexpr std::uint64_t no_page = ~std::uint64_t{0};
constexpr std::uint16_t tree_depth_max = 32;  // LMDB's cursor stack

// A tree's root as it lies in a meta page of a 64-bit machine.
struct TreeRoot {
  std::uint32_t page_size;  // in the first tree only
  std::uint16_t flags;
  std::uint16_t depth;
  std::uint64_t branch_pages, leaf_pages, overflow_pages, entries, root;
};

struct MetaPage {
  std::uint64_t page_number;
  std::uint16_t unused, flags, lower, upper;
  std::uint32_t magic, version;
  std::uint64_t address, map_size;
  TreeRoot free_pages, main;
  std::uint64_t last_page, transaction;
};
static_assert(sizeof(MetaPage) == 152);

class Probe {
 public:
  explicit Probe(const std::filesystem::path& path) : path_(path), file_(path, O_RDONLY) {}

  void run() {
    check_machine();
    const auto first = read(0);
    const auto page_size = first.free_pages.page_size;
    if (page_size < 512 || page_size > 65536 || (page_size & (page_size - 1)) != 0)
      damaged(0, "its page size is impossible");
    const auto second = read(page_size);
    check(first, 0, page_size);
    check(second, 1, page_size);
  }

 private:
  [[noreturn]] void damaged(int page, const std::string& why) const {
    throw Corrupt("meta page " + std::to_string(page) + " of " + path_.string() + " is damaged: " + why +
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
    const bool swapped = words[4] == __builtin_bswap32(lmdb_magic) || words[3] == __builtin_bswap32(lmdb_magic);
    if (swapped || (words[3] == lmdb_magic && words[4] != lmdb_magic))
      throw UnsupportedFormat(path_.string() +
                              " was written on a machine with another byte order or word size; read it there");
  }

  void check(const MetaPage& page, int number, std::uint64_t page_size) const {
    if (page.magic != lmdb_magic) damaged(number, "it does not begin as one of LMDB");
    if (page.version != lmdb_data_version)
      throw UnsupportedFormat(path_.string() + " has LMDB's data version " + std::to_string(page.version) +
                              ", expected " + std::to_string(lmdb_data_version) +
                              "; open it with the version that wrote it");
    struct stat status {};
    if (::fstat(file_.number(), &status) != 0) throw_failure(errno, "reading", path_);
    const auto pages = static_cast<std::uint64_t>(status.st_size) / page_size;
    check(page.free_pages, number, pages, page.last_page);
    check(page.main, number, pages, page.last_page);
    if (page.last_page > no_page / page_size / 2) damaged(number, "its last page is impossible");
  }

  void check(const TreeRoot& tree, int number, std::uint64_t pages, std::uint64_t last_page) const {
    if (tree.depth > tree_depth_max) damaged(number, "a tree is impossibly deep");
    if (tree.root == no_page) return;
    if (tree.root > last_page || tree.root < 2) damaged(number, "a tree's root is no page of the file");
    if (tree.root >= pages) damaged(number, "a tree's root lies behind the end of the file, which has been cut");
  }

  const std::filesystem::path& path_;
  FileDescriptor file_;
};

}  // namespace

void probe_environment(const std::filesystem::path& data_file) { Probe(data_file).run(); }

}  // namespace bobbin::storage
