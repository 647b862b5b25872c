// The structure of LMDB's pages, looked at before LMDB walks them: they have no checksum, and LMDB follows whatever
// page number, offset or size it finds, out of its memory if need be.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>

namespace bobbin::storage {

inline constexpr std::uint64_t all_pages = std::numeric_limits<std::uint64_t>::max();

// Reads up to `pages_max` pages of the state that `transaction` sees, breadth first, inner pages before leaves: each is
// what its place in its tree asks for, its keys are in order and between those of its parents, nothing points out of
// its page or the file, and no page is used twice or both used and free. Throws CorruptLog, naming the page. What is in
// keys and values is not looked at: records and rows have their own checksums.
//
// Answers false, having looked at nothing, when the file no longer tells where that state begins: the caller must hold
// a read transaction, and begins a newer one. The pages of one that is held do not change.
bool check_pages(const std::filesystem::path& data_file, std::uint64_t transaction, std::uint64_t pages_max);

}  // namespace bobbin::storage
