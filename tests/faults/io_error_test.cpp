// Writes and syncs of the real gateway's log that fail, at each step of its first commits (S26, P10): it stops at once,
// says why, and comes back with all that it has acknowledged; what clients repeat takes effect once.
#include "tests/faults/fault_rig.hpp"

#include <doctest/doctest.h>

#include <map>

namespace bobbin::faults {

namespace {

using drill::ProcessRig;
using std::chrono::milliseconds;

constexpr std::chrono::seconds end_limit{20};
constexpr std::uint16_t messages_max = 60;
constexpr int exit_error = 1;
constexpr int exit_engine_failed = 3;

struct Client {
  ProcessRig& rig;
  std::map<std::uint16_t, std::string> ids;  // by reference; empty: sent and not acknowledged

  // One message after the other, each with its own reference, until the gateway is gone.
  void send_until_the_end() {
    const auto client = rig.client(drill::account, drill::account_password);
    if (!rig.try_bind(*client).bound()) return;
    for (std::uint16_t reference = 1; reference <= messages_max; ++reference) {
      const auto result = rig.submit(*client, text_of(reference), reference);
      ids[reference] = result.accepted() ? result.message_id : "";
      if (result.kind != smpp::SubmitResult::Kind::answered) return;
    }
  }

  // Every one again, and one that is new.
  void send_again() {
    const auto client = rig.bind();
    ids[messages_max + 1];
    for (auto& [reference, id] : ids) {
      const auto now = rig.accepted(*client, text_of(reference), reference);
      if (!id.empty()) CHECK(now == id);
    }
  }

  static std::string text_of(std::uint16_t reference) { return "message " + std::to_string(reference); }
};

bool starts(ProcessRig& rig) {
  try {
    rig.start();
    return true;
  } catch (const std::runtime_error&) {  // it ends instead
    return false;
  }
}

void check_last_word(const ProcessRig& rig, Fault fault) {
  const auto said = rig.gateway.log_of_life();
  CAPTURE(said);
  CHECK(says(said, rig.directory().string()));              // the log's directory, or the one that holds it
  const bool full = says(said, "No space left on device");  // LMDB takes a short write for either
  const bool broken = says(said, "Input/output error");
  CHECK((fault == Fault::enospc ? full : fault == Fault::eio ? broken : full || broken));
  CHECK((says(said, "start the gateway again") || says(said, "check the disk") || says(said, "make room")));
}

// False: so many calls were not made.
bool fail_and_recover(Target target, Fault fault, std::uint64_t call, bool lasting) {
  CAPTURE(call);
  ProcessRig rig(milliseconds(30));
  Faults faults(rig.directory());
  Client client{rig, {}};
  faults.arm(target, fault, call, lasting);
  if (starts(rig)) client.send_until_the_end();
  if (faults.failed() == 0) return false;
  const auto end = rig.gateway.wait_for_end(end_limit);
  CHECK_FALSE(end.signalled);
  CHECK((end.code == exit_engine_failed || end.code == exit_error));
  check_last_word(rig, fault);

  faults.disarm();
  rig.start();
  client.send_again();
  std::map<std::string, int> delivered;
  for (const auto& batch : rig.batches_with(client.ids.size()))
    for (const auto& message : batch.messages) ++delivered[message.text];
  CHECK(delivered.size() == client.ids.size());
  for (const auto& [text, times] : delivered) CHECK_MESSAGE(times == 1, text);
  CHECK(rig.receiver.complaints().empty());
  CHECK(rig.end().clean());
  return true;
}

}  // namespace

TEST_CASE("S26, P10: EIO at the n-th write or sync, once, from the making of the log on") {
  for (std::uint64_t call = 1; call <= 44; ++call) REQUIRE(fail_and_recover(Target::any, Fault::eio, call, false));
}

TEST_CASE("S26, P10: EIO at each write and sync from the n-th on") {
  for (std::uint64_t call = 2; call <= 44; call += 3) REQUIRE(fail_and_recover(Target::any, Fault::eio, call, true));
}

TEST_CASE("S26, P10: a full disk at the n-th write of a meta page: LMDB cannot take it back") {
  for (std::uint64_t call = 1; call <= 6; ++call) {
    REQUIRE(fail_and_recover(Target::meta_write, Fault::enospc, call, false));
    REQUIRE(fail_and_recover(Target::meta_write, Fault::enospc, call, true));
  }
}

TEST_CASE("S26, P10: a write that is cut short") {
  for (std::uint64_t call = 1; call <= 20; ++call)
    REQUIRE(fail_and_recover(Target::write, Fault::cut_short, call, false));
}

TEST_CASE("S26, P10: a sync that fails while writes succeed") {
  for (std::uint64_t call = 1; call <= 12; ++call) REQUIRE(fail_and_recover(Target::sync, Fault::eio, call, true));
}

}  // namespace bobbin::faults
