// How LMDB 0.9 lays out its file on a 64-bit machine. Read from bytes that nothing vouches for.
#pragma once

#include <cstdint>

namespace bobbin::storage::layout {

inline constexpr std::uint32_t magic = 0xBEEFC0DE;
inline constexpr std::uint32_t data_version = 1;
inline constexpr std::uint64_t no_page = ~std::uint64_t{0};
inline constexpr std::uint64_t first_tree_page = 2;  // behind the two meta pages
inline constexpr std::uint16_t tree_depth_max = 32;  // LMDB's cursor stack
inline constexpr std::uint16_t tree_key_bytes_max = 511;

// Of trees.
inline constexpr std::uint16_t integer_keys = 0x08;

// Of pages.
inline constexpr std::uint16_t branch_page = 0x01;
inline constexpr std::uint16_t leaf_page = 0x02;
inline constexpr std::uint16_t overflow_page = 0x04;

// Of nodes in leaf pages.
inline constexpr std::uint16_t value_on_overflow_pages = 0x01;
inline constexpr std::uint16_t value_is_tree = 0x02;

// A tree, as it stands in a meta page or as a value of the main tree.
struct Tree {
  std::uint32_t page_size;  // in the tree of free pages only
  std::uint16_t flags;
  std::uint16_t depth;
  std::uint64_t branch_pages, leaf_pages, overflow_pages, entries, root;
};
static_assert(sizeof(Tree) == 48);

struct PageHeader {
  std::uint64_t number;
  std::uint16_t unused, flags;
  std::uint16_t lower, upper;  // of free space within the page; of overflow pages together: how many they are
};
static_assert(sizeof(PageHeader) == 16);

struct Node {
  std::uint16_t low, high, flags, key_bytes;  // low and high: size of the value, or with `flags` the child's page
};
static_assert(sizeof(Node) == 8);

struct MetaPage {
  PageHeader header;
  std::uint32_t magic, version;
  std::uint64_t address, map_size;
  Tree free_pages, main;
  std::uint64_t last_page, transaction;
};
static_assert(sizeof(MetaPage) == 152);

}  // namespace bobbin::storage::layout
