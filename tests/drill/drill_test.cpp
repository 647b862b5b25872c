// The drill itself: it passes the real gateway, and it catches one that acknowledges too early.
#include "tests/support/temporary_directory.hpp"
#include "tools/drill/small_disk.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <regex>
#include <string>

namespace bobbin::drill {

namespace {

struct DrillRun {
  int status = 0;
  std::string summary;  // the last line of stdout

  long count(const std::string& name) const {
    std::smatch found;
    REQUIRE_MESSAGE(std::regex_search(summary, found, std::regex(name + "=([0-9]+)")), "no ", name, " in: ", summary);
    return std::stol(found[1]);
  }
};

DrillRun run_drill(const std::string& arguments) {
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

}  // namespace

TEST_CASE("the gateway keeps its promises over SIGKILL at random moments") {
  const auto run = run_drill("kill --rounds 10 --seed 20 --gateway " BOBBIN_GATEWAY);
  CAPTURE(run.summary);
  CHECK(run.status == 0);
  CHECK(run.count("rounds") == 10);
  CHECK(run.count("accepted") > 100);
  CHECK(run.count("delivered") == run.count("accepted"));
  CHECK(run.count("lost") == 0);
  CHECK(run.count("doubled") == 0);
  CHECK(run.count("split") == 0);
}

TEST_CASE("the gateway keeps its promises with room for one conversation in memory") {
  const auto run = run_drill("kill --rounds 5 --seed 21 --fibers 1 --gateway " BOBBIN_GATEWAY);
  CAPTURE(run.summary);
  CHECK(run.status == 0);
  CHECK(run.count("accepted") > 100);
}

TEST_CASE("S26: the gateway keeps its promises on a disk that fills and empties, over SIGKILL, too" *
          doctest::skip(!SmallDisk::allowed())) {
  const auto run = run_drill("disk --rounds 5 --seed 23 --gateway " BOBBIN_GATEWAY);
  CAPTURE(run.summary);
  CHECK(run.status == 0);
  CHECK(run.count("rounds") == 5);
  CHECK(run.count("accepted") > 100);
  CHECK(run.count("delivered") == run.count("accepted"));
  CHECK(run.count("lost") == 0);
  CHECK(run.count("doubled") == 0);
  CHECK(run.count("split") == 0);
  CHECK(run.count("refused") > 0);
}

TEST_CASE("a gateway that acknowledges before the commit is caught") {
  const bobbin::testing::TemporaryDirectory directory;
  const auto run = run_drill("kill --rounds 5 --seed 22 --patience-ms 3000 --directory " + directory.path().string() +
                             " --gateway " BOBBIN_EARLY_ACK_GATEWAY);
  CAPTURE(run.summary);
  CHECK(run.status == 1);
  CHECK(run.count("lost") > 0);
}

}  // namespace bobbin::drill
