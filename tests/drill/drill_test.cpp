// The drill itself: it passes the real gateway, and it catches one that acknowledges too early.
#include "tests/drill/drill_run.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tools/drill/small_disk.hpp"

#include <filesystem>

namespace bobbin::drill {

TEST_CASE("the gateway keeps its promises over SIGKILL at random moments and at chosen calls") {
  const auto run = run_drill("kill --rounds 16 --seed 20 --gateway " BOBBIN_GATEWAY);
  CAPTURE(run.summary);
  CHECK(run.status == 0);
  CHECK(run.count("rounds") == 16);
#ifdef BOBBIN_PRELOADS
  CHECK(run.count("at_calls") > 0);
#endif
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

TEST_CASE("the gateway keeps its promises to an application that hangs, refuses, forgets and answers twice") {
  const auto run = run_drill("slow --rounds 2 --seed 24 --gateway " BOBBIN_GATEWAY);
  CAPTURE(run.summary);
  CHECK(run.status == 0);
  CHECK(run.count("accepted") > 100);
  CHECK(run.count("delivered") == run.count("accepted"));
  CHECK(run.count("repeated") > 0);
  CHECK(run.count("held") > 0);
  CHECK(run.count("answered_twice") > 0);
  CHECK(run.count("lost") == 0);
  CHECK(run.count("doubled") == 0);
  CHECK(run.count("split") == 0);
}

TEST_CASE("the gateway keeps its promises under steady load with retention, and its size is plotted") {
  const bobbin::testing::TemporaryDirectory directory;
  const auto svg = directory.path() / "soak.svg";
  const auto run = run_drill("soak --seconds 5 --seed 25 --svg " + svg.string() + " --gateway " BOBBIN_GATEWAY);
  CAPTURE(run.summary);
  CHECK(run.status == 0);
  CHECK(run.count("accepted") > 100);
  CHECK(run.count("delivered") == run.count("accepted"));
  CHECK(run.count("memory_mib") > 0);
  CHECK(run.count("lost") == 0);
  CHECK(run.count("doubled") == 0);
  CHECK(run.count("split") == 0);
  CHECK(std::filesystem::file_size(svg) > 1'000);
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
