// The clock drill: the gateway passes it, and it finds out who takes a jump of the wall clock for time that has passed.
#include "tests/drill/drill_run.hpp"
#include "tests/support/temporary_directory.hpp"

namespace bobbin::drill {

TEST_CASE("S4: the gateway keeps its promises while its wall clock jumps by hours, between its lives as well") {
  const auto run = run_drill("clock --rounds 12 --seed 40 --gateway " BOBBIN_GATEWAY);
  CAPTURE(run.summary);
  CHECK(run.status == 0);
  CHECK(run.count("rounds") == 12);
  CHECK(run.count("forward") > 0);
  CHECK(run.count("back") > 0);
  CHECK(run.count("deaths") > 0);
  CHECK(run.count("accepted") > 100);
  CHECK(run.count("delivered") == run.count("accepted"));
  CHECK(run.count("lost") == 0);
  CHECK(run.count("doubled") == 0);
  CHECK(run.count("split") == 0);
}

TEST_CASE("a gateway that takes a jump for time that has passed is caught by the clock drill") {
  const bobbin::testing::TemporaryDirectory directory;
  const auto run = run_drill("clock --rounds 12 --seed 40 --directory " + directory.path().string() +
                             " --gateway " BOBBIN_JUMP_BOUND_GATEWAY);
  CAPTURE(run.summary);
  CHECK(run.status == 1);
  CHECK(run.count("lost") + run.count("doubled") + run.count("split") > 0);
}

}  // namespace bobbin::drill
