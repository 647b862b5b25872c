#include "tools/drill/command.hpp"

#include <unistd.h>

#include <cstdlib>
#include <stdexcept>

namespace bobbin::drill {

namespace {

constexpr std::size_t shown_max = 5;

const char* name_of(Promise promise) {
  switch (promise) {
    case Promise::kept_messages:
      return "lost";
    case Promise::once_only:
      return "doubled";
    case Promise::whole_windows:
      return "split";
    case Promise::bounded:
      return "unbounded";
    case Promise::sound_log:
      return "corrupt";
  }
  return "broken";
}

std::filesystem::path directory_of_program() { return std::filesystem::read_symlink("/proc/self/exe").parent_path(); }

}  // namespace

std::filesystem::path neighbour(const char* folder, const char* name) {
  const auto here = directory_of_program();
  const auto beside = here / name;
  return std::filesystem::exists(beside) ? beside : here.parent_path() / folder / name;
}

std::filesystem::path preload(const char* name) {
  if (const char* told = std::getenv("BOBBIN_PRELOADS"); told != nullptr && *told != '\0')
    return std::filesystem::path(told) / name;
  const std::filesystem::path installed = BOBBIN_PRELOADS;
  const auto here = directory_of_program();
  // Also where the whole installation was moved.
  for (const auto& directory : {here, (here / installed.lexically_relative(BOBBIN_BINDIR)).lexically_normal()})
    if (std::filesystem::exists(directory / name)) return directory / name;
  return installed / name;
}

void add_place(CLI::App& command, Common& common) {
  common.gateway = neighbour("gateway", "bobbin-gateway");
  command.add_option("--gateway", common.gateway, "the program");
  command.add_option("--directory", common.directory, "for data, log and journals; it is kept");
  command.add_flag("--keep", common.keep, "keep the temporary directory");
}

void add_common(CLI::App& command, Common& common) {
  command.add_option("--seed", common.seed, "of load, faults and moments")->capture_default_str();
  add_place(command, common);
}

void add_milliseconds(CLI::App& command, const std::string& name, std::chrono::milliseconds& value,
                      const std::string& what, const CLI::Range& range) {
  const auto set = [&value](std::int64_t given) { value = std::chrono::milliseconds(given); };
  command.add_option_function<std::int64_t>(name, set, what)->check(range)->default_str(std::to_string(value.count()));
}

Directory::Directory(const Common& common) : keep_(common.keep || !common.directory.empty()), path_(common.directory) {
  if (!path_.empty()) {
    std::filesystem::create_directories(path_);
    return;
  }
  auto pattern = (std::filesystem::temp_directory_path() / "bobbin-drill-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a directory like " + pattern);
  path_ = pattern;
}

void Directory::close(bool passed) {
  if (passed && !keep_) std::filesystem::remove_all(path_);
  if (!passed || keep_) std::fprintf(stderr, "journals, gateway log and data are in %s\n", path_.c_str());
}

void explain(const std::string& trouble, const std::vector<BrokenPromise>& broken) {
  if (!trouble.empty()) std::fprintf(stderr, "%s\n", trouble.c_str());
  for (std::size_t i = 0; i < broken.size() && i < shown_max; ++i)
    std::fprintf(stderr, "%s: %s\n", name_of(broken[i].promise), broken[i].what.c_str());
  if (broken.size() > shown_max) std::fprintf(stderr, "and %zu more\n", broken.size() - shown_max);
}

int conclude(const std::string& summary, bool kept, bool passed) {
  std::fflush(stderr);
  std::printf("%s\n", summary.c_str());
  std::fflush(stdout);
  return kept ? (passed ? 0 : exit_trouble) : exit_broken;
}

}  // namespace bobbin::drill
