// LMDB with nothing around it: what the engine's figures are compared with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace bobbin::bench {

// One commit of a log: the sizes of the entries that hold its records, parts included.
struct CommitShape {
  std::uint64_t records = 0;
  std::vector<std::size_t> entry_bytes;
};

// Reads how large each commit's entries are in the closed log at `directory`; `last_lsns` are the last LSN of each of
// its commits, in order, and `first_lsn` where the first of them begins.
std::vector<CommitShape> shapes_of(const std::filesystem::path& directory, std::uint64_t first_lsn,
                                   const std::vector<std::uint64_t>& last_lsns);

struct BareRun {
  double seconds = 0;
  std::uint64_t records = 0;
  std::vector<double> commit_us;
};

// Appends entries of these sizes, commit by commit, with sync, in a new environment. Stops after `seconds_max`.
BareRun append_bare(const std::filesystem::path& directory, const std::vector<CommitShape>& shapes, double seconds_max);

// Removes the directory, makes it anew, and returns it.
std::filesystem::path fresh_directory(const std::filesystem::path& directory);

double median(std::vector<double> values);
double quantile(std::vector<double> values, double q);

}  // namespace bobbin::bench
