// What the commands of bobbin-drill have in common: where they play, with which gateway, and how they end.
#pragma once

#include "tools/drill/checker.hpp"

#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

namespace bobbin::drill {

inline constexpr int exit_broken = 1;   // a promise is
inline constexpr int exit_trouble = 2;  // the drill could not come to its end

struct Common {
  std::filesystem::path gateway;
  std::string directory;  // empty: a new one, which goes when all was well
  bool keep = false;
  std::uint64_t seed = 1;
};

// Beside this program, or in that folder of the build tree.
std::filesystem::path neighbour(const char* folder, const char* name);
// A library that goes before the gateway's C library: in the directory that BOBBIN_PRELOADS in the environment names,
// or else beside this program, where it is installed relative to this program, or where it is installed. It may not
// exist.
std::filesystem::path preload(const char* name);

void add_place(CLI::App& command, Common& common);  // all but the seed
void add_common(CLI::App& command, Common& common);
void add_milliseconds(CLI::App& command, const std::string& name, std::chrono::milliseconds& value,
                      const std::string& what, const CLI::Range& range);

class Directory {
 public:
  explicit Directory(const Common& common);
  const std::filesystem::path& path() const { return path_; }
  // It goes now, or the user is told where it is.
  void close(bool passed);

 private:
  bool keep_;
  std::filesystem::path path_;
};

// What is wrong, on stderr, the first ones of many.
void explain(const std::string& trouble, const std::vector<BrokenPromise>& broken);
// Prints the summary; answers the exit status.
int conclude(const std::string& summary, bool kept, bool passed);

// A drill on its ground, from its options to the exit status.
template <class Options, class Run>
int play(Options options, const Common& common, const Run& run) {
  Directory directory(common);
  options.directory = directory.path();
  options.gateway = common.gateway;
  options.seed = common.seed;
  const auto report = run(options);
  explain(report.trouble, report.broken());
  directory.close(report.passed());
  return conclude(summary(report), report.broken().empty(), report.passed());
}

}  // namespace bobbin::drill
