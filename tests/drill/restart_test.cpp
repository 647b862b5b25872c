// Two equal texts are two messages or one as S30 says, on the real gateway and over its death.
#include "tests/drill/process_rig.hpp"
#include "tools/gateway/lives.hpp"

#include <bobbin/types.hpp>

#include <doctest/doctest.h>
#include <sys/wait.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

namespace bobbin::drill {

namespace {

// As if the process had lived on for ten seconds before it died.
void last_life_was_longer(const ProcessRig& rig) {
  const auto file = rig.directory() / "data" / "alive";
  auto lives = gateway::Lives(rig.directory() / "data").earlier();
  REQUIRE_FALSE(lives.empty());
  lives.back().lived += std::chrono::seconds(10);
  std::ofstream out(file);
  for (const auto& life : lives)
    out << life.first_lsn << ' ' << life.began.count() << ' ' << life.lived.count() << '\n';
}

}  // namespace

TEST_CASE("S30: an equal text on a living session is a new message once the first is answered") {
  ProcessRig rig;
  rig.start();
  const auto client = rig.bind();
  const auto first = rig.accepted(*client, "yes");
  const auto second = rig.accepted(*client, "yes");
  CHECK(first != second);
  const auto batches = rig.batches_with(2);
  REQUIRE(batches.size() == 1);
  CHECK(batches[0].messages[0].id == first);
  CHECK(batches[0].messages[1].id == second);
}

TEST_CASE("S30: after a process death one equal text is the message accepted just before") {
  ProcessRig rig;
  rig.start();
  const auto first = rig.accepted(*rig.bind(), "yes");
  rig.restart_after_kill();
  const auto client = rig.bind();
  CHECK(rig.accepted(*client, "yes") == first);
  CHECK(rig.accepted(*client, "yes") != first);  // at most one is absorbed
  CHECK(rig.accepted(*client, "no") != first);
  rig.batches_with(3);
  CHECK(rig.end().clean());
  CHECK(rig.messages_delivered() == 3);
}

TEST_CASE("S30: a message that the process never read is one message after its death") {
  ProcessRig rig;
  rig.start();
  const auto client = rig.bind();
  // It stops, the message waits in its socket, it dies.
  ::kill(rig.gateway.pid(), SIGSTOP);
  rig.submit_blindly(*client, "yes");
  rig.restart_after_kill();
  const auto again = rig.bind();
  const auto id = rig.accepted(*again, "yes");
  const auto batches = rig.batches_with(1);
  REQUIRE(batches.size() == 1);
  CHECK(batches[0].messages.size() == 1);
  CHECK(batches[0].messages[0].id == id);
}

TEST_CASE("S30: a text accepted more than five seconds before the death is not absorbed") {
  ProcessRig rig;
  rig.start();
  const auto first = rig.accepted(*rig.bind(), "yes");
  rig.gateway.kill_hard();
  last_life_was_longer(rig);
  rig.start();
  CHECK(rig.accepted(*rig.bind(), "yes") != first);
  rig.batches_with(2);
}

TEST_CASE("S30: a message absorbs one repetition, over several deaths") {
  ProcessRig rig;
  rig.start();
  const auto first = rig.accepted(*rig.bind(), "yes");
  rig.restart_after_kill();
  CHECK(rig.accepted(*rig.bind(), "yes") == first);
  rig.gateway.kill_hard();
  last_life_was_longer(rig);
  rig.start();
  CHECK(rig.accepted(*rig.bind(), "yes") != first);
  rig.batches_with(2);
  CHECK(rig.end().clean());
  CHECK(rig.messages_delivered() == 2);
}

TEST_CASE("S30: a repetition just before a death may come again after it") {
  ProcessRig rig;
  rig.start();
  const auto first = rig.accepted(*rig.bind(), "yes");
  for (int death = 0; death < 3; ++death) {
    rig.restart_after_kill();
    CHECK(rig.accepted(*rig.bind(), "yes") == first);
  }
  rig.batches_with(1);
  CHECK(rig.end().clean());
  CHECK(rig.messages_delivered() == 1);
}

TEST_CASE("S26, S30: where no life can be noted for want of room, the gateway works, and says what may follow") {
  ProcessRig rig;
  std::filesystem::create_directory(rig.directory() / "data");
  std::filesystem::create_symlink("/dev/full", rig.directory() / "data" / "alive");
  rig.start();
  const auto first = rig.accepted(*rig.bind(), "yes");
  rig.restart_after_kill();
  CHECK(rig.accepted(*rig.bind(), "yes") == first);
  rig.batches_with(1);
  CHECK(rig.end().clean());
  const auto log = rig.gateway.log_of_life();
  CHECK(log.find("may be taken in twice") != std::string::npos);
  CHECK(log.find("No space left on device") != std::string::npos);
}

TEST_CASE("S30: a text is absorbed once when its session ends right after the answer") {
  ProcessRig rig;
  rig.start();
  auto client = rig.bind();
  const auto first = rig.accepted(*client, "yes");
  client.reset();
  // The gateway has seen the end of that session when it counts one session less.
  const auto again = rig.bind();
  while (rig.admin("GET", "/stats").json()["smpp"]["sessions"] != 1) {
  }
  CHECK(rig.accepted(*again, "yes") == first);
  CHECK(rig.accepted(*again, "yes") != first);
  rig.batches_with(2);
}

TEST_CASE("S30: a reference names the message, on any session and over a death") {
  ProcessRig rig;
  rig.start();
  const auto client = rig.bind();
  const auto first = rig.accepted(*client, "yes", 7);
  CHECK(rig.accepted(*client, "yes", 7) == first);
  CHECK(rig.accepted(*rig.bind(), "yes", 7) == first);
  const auto other = rig.accepted(*client, "yes", 8);
  CHECK(other != first);
  rig.restart_after_kill();
  const auto again = rig.bind();
  CHECK(rig.accepted(*again, "yes", 8) == other);
  CHECK(rig.accepted(*again, "yes", 7) == first);
  CHECK(rig.accepted(*again, "yes", 7) == first);
  rig.batches_with(2);
  CHECK(rig.end().clean());
  CHECK(rig.messages_delivered() == 2);
}

}  // namespace bobbin::drill
