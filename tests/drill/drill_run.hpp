// A run of bobbin-drill: its exit status and the summary that it ends with.
#pragma once

#include <doctest/doctest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <regex>
#include <string>

namespace bobbin::drill {

struct DrillRun {
  int status = 0;
  std::string summary;  // the last line of stdout

  long count(const std::string& name) const {
    std::smatch found;
    REQUIRE_MESSAGE(std::regex_search(summary, found, std::regex(name + "=([0-9]+)")), "no ", name, " in: ", summary);
    return std::stol(found[1]);
  }
};

inline DrillRun run_drill(const std::string& arguments) {
  FILE* output = ::popen((std::string(BOBBIN_DRILL) + " " + arguments).c_str(), "r");
  REQUIRE(output != nullptr);
  DrillRun run;
  std::array<char, 1024> line{};
  while (std::fgets(line.data(), line.size(), output) != nullptr) run.summary = line.data();
  const int status = ::pclose(output);
  REQUIRE(WIFEXITED(status));
  run.status = WEXITSTATUS(status);
  return run;
}

}  // namespace bobbin::drill
