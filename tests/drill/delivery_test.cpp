// Batches out of the real gateway: signed, repeated under one key, dead letters and their redriving.
#include "tests/drill/process_rig.hpp"

#include <doctest/doctest.h>

namespace bobbin::drill {

TEST_CASE("the admin interface is closed without its token, but for health") {
  ProcessRig rig;
  const auto ports = rig.start();
  CHECK(rig.http(ports.admin, "GET", "/healthz", "").status == 200);
  CHECK(rig.http(ports.admin, "GET", "/stats", "").status == 401);
  CHECK(rig.http(ports.admin, "GET", "/dead-letters", "a-wrong-token-00001").status == 401);
  CHECK(rig.http(ports.admin, "POST", "/dead-letters/1.0/redrive", http_token).status == 401);
  CHECK(rig.admin("GET", "/stats").status == 200);
  CHECK(rig.admin("GET", "/nothing").status == 404);
}

TEST_CASE("a batch that fails for now is repeated under its key until it is taken") {
  ProcessRig rig;
  rig.start();
  rig.receiver.answer_always(503);
  rig.accepted(*rig.bind(), "patience");
  rig.loop.run_until([&] { return rig.receiver.requests() >= 3; });
  // Over a death, too.
  rig.restart_after_kill();
  rig.receiver.answer_always(0);
  rig.batches_with(1);
  CHECK(rig.receiver.batches().size() == 1);
  CHECK(rig.receiver.complaints().empty());
  CHECK(rig.admin("GET", "/dead-letters").json()["dead_letters"].empty());
}

TEST_CASE("a refused batch is a dead letter, kept over a death and redriven under its own key") {
  ProcessRig rig;
  rig.start();
  rig.receiver.answer_always(400);
  rig.accepted(*rig.bind(), "unwanted");
  rig.loop.run_until([&] { return rig.receiver.requests() == 1; });
  nlohmann::json letters;
  do {
    letters = rig.admin("GET", "/dead-letters").json()["dead_letters"];
  } while (letters.empty());
  rig.restart_after_kill();
  letters = rig.admin("GET", "/dead-letters").json()["dead_letters"];
  REQUIRE(letters.size() == 1);
  CHECK(letters[0]["kind"] == "activity");
  CHECK(letters[0]["cause"]["type"] == "refused");
  const std::string position = letters[0]["position"];

  rig.receiver.answer_always(0);
  CHECK(rig.admin("POST", "/dead-letters/99999.0/redrive").status == 404);
  CHECK(rig.admin("POST", "/dead-letters/" + position + "/redrive").status == 202);
  const auto batches = rig.batches_with(1);
  REQUIRE(batches.size() == 1);
  CHECK(batches[0].messages[0].text == "unwanted");
  CHECK(rig.receiver.requests() == 2);
  CHECK(rig.receiver.batches()[0].times == 1);
}

}  // namespace bobbin::drill
