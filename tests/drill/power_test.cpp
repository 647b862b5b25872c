// The power drill: the gateway passes it, and it finds out who acknowledges, or sends, before it is on the disk (P1,
// P2).
#include "tests/drill/drill_run.hpp"
#include "tests/support/temporary_directory.hpp"

namespace bobbin::drill {

TEST_CASE("P1: what was acknowledged or sent survives a power cut at any moment, and one during the recovery") {
  const auto run = run_drill("power --images 300 --seed 30 --load-ms 1500 --gateway " BOBBIN_GATEWAY);
  CAPTURE(run.summary);
  CHECK(run.status == 0);
  CHECK(run.count("images") >= 290);
  CHECK(run.count("recovered") == run.count("images"));
  CHECK(run.count("torn") > 0);
  CHECK(run.count("second_cuts") > 0);
  CHECK(run.count("by_gateway") >= 5);
  CHECK(run.count("failed_syncs") > 0);
  CHECK(run.count("lost") == 0);
  CHECK(run.count("doubled") == 0);
  CHECK(run.count("corrupt") == 0);
}

TEST_CASE("a gateway that acknowledges before the sync is caught by the power drill") {
  const bobbin::testing::TemporaryDirectory directory;
  const auto run = run_drill("power --images 40 --seed 31 --load-ms 1000 --directory " + directory.path().string() +
                             " --gateway " BOBBIN_EARLY_ACK_GATEWAY);
  CAPTURE(run.summary);
  CHECK(run.status == 1);
  CHECK(run.count("lost") > 0);
}

TEST_CASE("a gateway whose syncs do nothing is caught by the power drill, though no SIGKILL harms it") {
  const bobbin::testing::TemporaryDirectory directory;
  const auto run = run_drill("power --images 100 --seed 33 --load-ms 1000 --directory " + directory.path().string() +
                             " --gateway " BOBBIN_UNSYNCED_GATEWAY);
  CAPTURE(run.summary);
  CHECK(run.status == 1);
  CHECK(run.count("lost") + run.count("corrupt") > 0);
}

TEST_CASE("a disk that only says it has flushed is caught by the power drill") {
  const bobbin::testing::TemporaryDirectory directory;
  const auto run = run_drill("power --images 40 --seed 32 --load-ms 1000 --lying-disk --directory " +
                             directory.path().string() + " --gateway " BOBBIN_GATEWAY);
  CAPTURE(run.summary);
  CHECK(run.status == 1);
  CHECK(run.count("lost") + run.count("corrupt") > 0);
}

}  // namespace bobbin::drill
