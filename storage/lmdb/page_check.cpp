#include "storage/lmdb/page_check.hpp"

#include "storage/lmdb/failure.hpp"
#include "storage/lmdb/files.hpp"
#include "storage/lmdb/layout.hpp"

#include <bobbin/error.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstring>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bobbin::storage {

namespace {

using namespace layout;

template <class T>
T read_as(std::string_view bytes, std::size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

enum class Kind { main, table, free_pages };

// A page that is to be looked at, and what its parents say of it.
struct Expected {
  std::uint64_t page = 0;
  std::uint16_t levels = 1;  // of the tree from here down; 1: a leaf
  Kind kind = Kind::main;
  std::optional<std::string> low;   // no key below it
  std::optional<std::string> high;  // all keys below it
};

class PageCheck {
 public:
  PageCheck(const std::filesystem::path& path, std::uint64_t pages_max)
      : path_(path), file_(path, O_RDONLY), left_(pages_max) {}

  bool run(std::uint64_t transaction) {
    if (!find_meta(transaction)) return false;
    used_.resize(meta_.last_page / 64 + 1);
    expect_tree(meta_.main, Kind::main, 0);
    expect_tree(meta_.free_pages, Kind::free_pages, 0);
    for (; !queue_.empty() && left_ > 0; queue_.pop_front()) {
      --left_;
      check(queue_.front());
    }
    return true;
  }

 private:
  [[noreturn]] void damaged(std::uint64_t page, const std::string& why) const {
    throw CorruptLog("page " + std::to_string(page) + " of " + path_.string() + " is damaged: " + why +
                     "; restore a backup");
  }

  bool find_meta(std::uint64_t transaction);
  std::string read(std::uint64_t page, std::size_t offset, std::size_t bytes) const;
  void use(std::uint64_t page, std::uint64_t named_by);
  void expect(Expected expected, std::uint64_t named_by);
  void expect_tree(const Tree& tree, Kind kind, std::uint64_t named_by);

  void check(const Expected& expected);
  std::vector<std::size_t> nodes_of(const Expected& expected, std::string_view page) const;
  std::string_view key_of(const Expected& expected, std::string_view page, std::size_t at) const;
  void check_keys(const Expected& expected, const std::vector<std::string_view>& keys, bool branch) const;
  void check_branch(const Expected& expected, std::string_view page, const std::vector<std::size_t>& nodes,
                    const std::vector<std::string_view>& keys);
  void check_leaf(const Expected& expected, std::string_view page, const std::vector<std::size_t>& nodes);
  void check_overflow(const Expected& expected, std::uint64_t first, std::uint64_t bytes);
  void check_free_list(std::uint64_t page, std::string_view value);

  const std::filesystem::path& path_;
  FileDescriptor file_;
  std::uint64_t left_;
  std::uint64_t page_size_ = 0;
  std::uint64_t pages_in_file_ = 0;
  MetaPage meta_{};
  std::vector<std::uint64_t> used_;  // a bit for each page
  std::deque<Expected> queue_;
};

bool PageCheck::find_meta(std::uint64_t transaction) {
  page_size_ = sizeof(MetaPage);
  pages_in_file_ = 1;
  page_size_ = read_as<MetaPage>(read(0, 0, sizeof(MetaPage)), 0).free_pages.page_size;
  struct stat status {};
  if (::fstat(file_.number(), &status) != 0) throw_failure(errno, "reading", path_);
  pages_in_file_ = static_cast<std::uint64_t>(status.st_size) / page_size_;
  for (const std::uint64_t number : {0, 1}) {
    meta_ = read_as<MetaPage>(read(number, 0, sizeof(MetaPage)), 0);
    if (meta_.transaction == transaction) return true;
  }
  return false;
}

std::string PageCheck::read(std::uint64_t page, std::size_t offset, std::size_t bytes) const {
  if (page >= pages_in_file_) damaged(page, "it lies behind the end of the file, which has been cut");
  std::string text(bytes, '\0');
  const auto size = ::pread(file_.number(), text.data(), bytes, static_cast<off_t>(page * page_size_ + offset));
  if (size < 0) throw_failure(errno, "reading", path_);
  if (static_cast<std::size_t>(size) != bytes) damaged(page, "the file ends within it");
  return text;
}

void PageCheck::use(std::uint64_t page, std::uint64_t named_by) {
  if (page < first_tree_page || page > meta_.last_page)
    damaged(named_by, "it names page " + std::to_string(page) + ", which the log does not have");
  auto& word = used_[page / 64];
  const auto bit = std::uint64_t{1} << (page % 64);
  if ((word & bit) != 0) damaged(page, "it is used twice, or both used and free");
  word |= bit;
}

void PageCheck::expect(Expected expected, std::uint64_t named_by) {
  use(expected.page, named_by);
  if (queue_.size() < left_) queue_.push_back(std::move(expected));
}

void PageCheck::expect_tree(const Tree& tree, Kind kind, std::uint64_t named_by) {
  if (tree.flags != (kind == Kind::free_pages ? integer_keys : 0)) damaged(named_by, "a tree has impossible flags");
  if (tree.depth > tree_depth_max || (tree.depth == 0) != (tree.root == no_page))
    damaged(named_by, "a tree has an impossible depth");
  if (tree.root != no_page) expect({tree.root, tree.depth, kind, {}, {}}, named_by);
}

void PageCheck::check(const Expected& expected) {
  const auto page = read(expected.page, 0, page_size_);
  const auto nodes = nodes_of(expected, page);
  std::vector<std::string_view> keys;
  keys.reserve(nodes.size());
  for (const auto at : nodes) keys.push_back(key_of(expected, page, at));
  check_keys(expected, keys, expected.levels > 1);
  if (expected.levels > 1)
    check_branch(expected, page, nodes, keys);
  else
    check_leaf(expected, page, nodes);
}

// Where its nodes begin; their headers are inside the page.
std::vector<std::size_t> PageCheck::nodes_of(const Expected& expected, std::string_view page) const {
  const auto header = read_as<PageHeader>(page, 0);
  const bool branch = expected.levels > 1;
  if (header.number != expected.page) damaged(expected.page, "it has the number of another page");
  if (header.flags != (branch ? branch_page : leaf_page)) damaged(expected.page, "it is of another kind");
  const bool possible = header.lower >= sizeof header && header.lower % 2 == 0 && header.lower <= header.upper &&
                        header.upper <= page_size_;
  if (!possible) damaged(expected.page, "its free space has impossible bounds");
  const auto count = (header.lower - sizeof header) / 2;
  // LMDB leaves branches with one child in the tree of free pages only, on its way through a transaction.
  if (count < (branch && expected.kind != Kind::free_pages ? 2 : 1)) damaged(expected.page, "it has too few entries");
  std::vector<std::size_t> nodes(count);
  for (std::size_t i = 0; i < count; ++i) {
    nodes[i] = read_as<std::uint16_t>(page, sizeof header + 2 * i);
    if (nodes[i] < header.upper || nodes[i] + sizeof(Node) > page_size_)
      damaged(expected.page, "an entry lies outside of it");
  }
  return nodes;
}

std::string_view PageCheck::key_of(const Expected& expected, std::string_view page, std::size_t at) const {
  const auto bytes = read_as<Node>(page, at).key_bytes;
  if (bytes > tree_key_bytes_max || at + sizeof(Node) + bytes > page_size_)
    damaged(expected.page, "a key is impossibly long");
  return page.substr(at + sizeof(Node), bytes);
}

void PageCheck::check_keys(const Expected& expected, const std::vector<std::string_view>& keys, bool branch) const {
  const auto below = [&expected](std::string_view a, std::string_view b) {
    if (expected.kind != Kind::free_pages) return a < b;
    return read_as<std::uint64_t>(a, 0) < read_as<std::uint64_t>(b, 0);
  };
  // The first key of a branch page stands for all that is below the second, and may be anything.
  for (std::size_t i = branch ? 1 : 0; i < keys.size(); ++i) {
    if (expected.kind == Kind::free_pages && keys[i].size() != sizeof(std::uint64_t))
      damaged(expected.page, "a key has an impossible size");
    const bool in_order = i == (branch ? 1 : 0) || below(keys[i - 1], keys[i]);
    const bool inside =
        (!expected.low || !below(keys[i], *expected.low)) && (!expected.high || below(keys[i], *expected.high));
    if (!in_order || !inside) damaged(expected.page, "its keys are out of order");
  }
}

void PageCheck::check_branch(const Expected& expected, std::string_view page, const std::vector<std::size_t>& nodes,
                             const std::vector<std::string_view>& keys) {
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const auto node = read_as<Node>(page, nodes[i]);
    const auto child = std::uint64_t{node.low} | std::uint64_t{node.high} << 16 | std::uint64_t{node.flags} << 32;
    Expected below{child, static_cast<std::uint16_t>(expected.levels - 1), expected.kind, expected.low, expected.high};
    if (i > 0) below.low = std::string(keys[i]);
    if (i + 1 < nodes.size()) below.high = std::string(keys[i + 1]);
    expect(std::move(below), expected.page);
  }
}

void PageCheck::check_leaf(const Expected& expected, std::string_view page, const std::vector<std::size_t>& nodes) {
  std::size_t bytes = 0;
  for (const auto at : nodes) {
    const auto node = read_as<Node>(page, at);
    const std::size_t size = std::size_t{node.low} | std::size_t{node.high} << 16;
    const bool elsewhere = node.flags == value_on_overflow_pages;
    const bool tree = node.flags == value_is_tree;
    if (node.flags != 0 && !elsewhere && !tree) damaged(expected.page, "an entry has impossible flags");
    if (tree != (expected.kind == Kind::main)) damaged(expected.page, "an entry has the flags of another tree's");
    const auto value = at + sizeof node + node.key_bytes;
    const auto here = elsewhere ? sizeof(std::uint64_t) : size;
    if (value + here > page_size_) damaged(expected.page, "a value reaches out of it");
    bytes += sizeof node + node.key_bytes + here;
    if (tree && size != sizeof(Tree)) damaged(expected.page, "a tree has an impossible size");
    if (tree) expect_tree(read_as<Tree>(page, value), Kind::table, expected.page);
    if (elsewhere)
      check_overflow(expected, read_as<std::uint64_t>(page, value), size);
    else if (expected.kind == Kind::free_pages)
      check_free_list(expected.page, page.substr(value, size));
  }
  if (bytes > page_size_ - read_as<PageHeader>(page, 0).upper) damaged(expected.page, "its entries overlap");
}

void PageCheck::check_overflow(const Expected& expected, std::uint64_t first, std::uint64_t bytes) {
  use(first, expected.page);
  const auto header = read_as<PageHeader>(read(first, 0, sizeof(PageHeader)), 0);
  const std::uint64_t pages = std::uint64_t{header.lower} | std::uint64_t{header.upper} << 16;
  if (header.number != first || header.flags != overflow_page) damaged(first, "it is of another kind");
  if (pages == 0 || pages > meta_.last_page - first + 1 || bytes + sizeof header > pages * page_size_)
    damaged(first, "it continues over an impossible number of pages");
  if (first + pages > pages_in_file_) damaged(first, "it reaches behind the end of the file, which has been cut");
  for (auto page = first + 1; page < first + pages; ++page) use(page, first);
  if (expected.kind == Kind::free_pages && pages <= left_) {
    left_ -= pages;
    check_free_list(first, read(first, sizeof header, bytes));
  }
}

// LMDB writes to the pages named here, highest first.
void PageCheck::check_free_list(std::uint64_t page, std::string_view value) {
  const auto count = value.size() < 8 ? all_pages : read_as<std::uint64_t>(value, 0);
  if (count >= value.size() / 8) damaged(page, "a list of free pages is longer than its place");
  auto previous = no_page;
  for (std::uint64_t i = 1; i <= count; ++i) {
    const auto free = read_as<std::uint64_t>(value, 8 * i);
    if (free >= previous) damaged(page, "a list of free pages is out of order");
    use(free, page);
    previous = free;
  }
}

}  // namespace

bool check_pages(const std::filesystem::path& data_file, std::uint64_t transaction, std::uint64_t pages_max) {
  return PageCheck(data_file, pages_max).run(transaction);
}

}  // namespace bobbin::storage
