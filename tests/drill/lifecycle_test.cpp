// The gateway as a process that an operator starts and ends.
#include "tests/drill/process_rig.hpp"

#include <doctest/doctest.h>

#include <fstream>

namespace bobbin::drill {

namespace {

constexpr std::chrono::seconds end_limit{20};

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// How a gateway ends that cannot start, and what it says.
std::pair<GatewayEnd, std::string> run_to_its_end(const std::filesystem::path& config,
                                                  const std::filesystem::path& log) {
  GatewayProcess gateway(BOBBIN_GATEWAY, config, log);
  gateway.start();
  const auto end = gateway.wait_for_end(end_limit);
  return {end, gateway.log_of_life()};
}

}  // namespace

TEST_CASE("SIGTERM drains: what was accepted is delivered by the next life") {
  ProcessRig rig(std::chrono::milliseconds(2'000));
  rig.start();
  const auto client = rig.bind();
  const auto id = rig.accepted(*client, "before the end");
  const auto end = rig.end();
  CHECK(end.clean());
  CHECK(says(rig.gateway.log_of_life(), "drained"));
  CHECK(rig.receiver.batches().empty());
  rig.start();
  const auto batches = rig.batches_with(1);
  REQUIRE(batches.size() == 1);
  CHECK(batches[0].messages[0].id == id);
}

TEST_CASE("a second gateway on the same log is refused with the first one's process id") {
  ProcessRig rig;
  rig.start();
  const auto [end, said] = run_to_its_end(rig.config(), rig.directory() / "second.log");
  CAPTURE(said);
  CHECK_FALSE(end.signalled);
  CHECK(end.code == 1);
  CHECK(says(said, "locked"));
  CHECK(says(said, std::to_string(rig.gateway.pid())));
  // The first one works on.
  rig.accepted(*rig.bind(), "still here");
  rig.batches_with(1);
}

TEST_CASE("a wrong configuration names file and line") {
  const bobbin::testing::TemporaryDirectory directory;
  const auto file = directory.path() / "wrong.toml";
  std::ofstream(file) << "data_directory = \"data\"\n\n[smpp]\nprot = 2775\n";
  const auto [end, said] = run_to_its_end(file, directory.path() / "log");
  CAPTURE(said);
  CHECK(end.code == 2);
  CHECK(says(said, file.string() + ":"));
  const auto [missing_end, missing_said] = run_to_its_end(directory.path() / "none.toml", directory.path() / "log");
  CAPTURE(missing_said);
  CHECK(missing_end.code == 2);
  CHECK(says(missing_said, "none.toml"));
}

TEST_CASE("an address that is taken ends the start with its reason") {
  ProcessRig rig;
  rig.start();
  std::ifstream original(rig.config());
  std::string text((std::istreambuf_iterator<char>(original)), {});
  const auto replace = [&](const std::string& what, const std::string& by) {
    text.replace(text.find(what), what.size(), by);
  };
  replace((rig.directory() / "data").string(), (rig.directory() / "other").string());
  replace("[smpp]\nport = 0", "[smpp]\nport = " + std::to_string(rig.ports.smpp));
  const auto file = rig.directory() / "taken.toml";
  std::ofstream(file) << text;
  const auto [end, said] = run_to_its_end(file, rig.directory() / "taken.log");
  CAPTURE(said);
  CHECK_FALSE(end.signalled);
  CHECK(end.code == 1);
  CHECK(says(said, std::to_string(rig.ports.smpp)));
}

}  // namespace bobbin::drill
