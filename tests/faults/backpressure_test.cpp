// A receiver that hangs and clients that do not stop, on the real gateway: memory and what is accepted stay bounded,
// clients are told to come again, and all drains afterwards (S25).
#include "tests/drill/process_rig.hpp"
#include "tools/smpp/encode.hpp"

#include <boost/asio/write.hpp>
#include <doctest/doctest.h>

#include <fstream>
#include <set>

namespace bobbin::faults {

namespace {

using drill::ProcessRig;
using std::chrono::milliseconds;

constexpr std::size_t memory_growth_max_kib = 24 * 1024;

const std::string small_bounds =
    "inbox_count_max = 64\nunread_messages_max = 40\npending_batches_max = 10\ninbox_bytes_max = 1048576\n";

// Anonymous memory of the gateway: neither its program nor the log that it maps.
std::size_t memory_kib(const ProcessRig& rig) {
  std::ifstream status("/proc/" + std::to_string(rig.gateway.pid()) + "/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("RssAnon:")) return std::stoul(line.substr(8));
  FAIL("the system does not tell the memory of a process");
  return 0;
}

// A sanitizer keeps what has been freed and writes down who touched what: beside it a process's memory tells nothing.
void check_growth(const ProcessRig& rig, std::size_t before_kib) {
  const auto grown = static_cast<long>(memory_kib(rig)) - static_cast<long>(before_kib);
  MESSAGE("memory grew by ", grown, " KiB");
#ifndef BOBBIN_SANITIZED
  CHECK(grown < static_cast<long>(memory_growth_max_kib));
#endif
}

// A client with its messages; each answer is counted.
class Flood {
 public:
  explicit Flood(ProcessRig& rig) : rig_(rig), client_(rig.bind()) {}

  // Sends `count` messages in as many conversations, 0 for one each, and waits for all answers.
  void send(std::size_t count, std::size_t conversations) {
    for (std::size_t i = 0; i < count; ++i) {
      const auto text = "message " + std::to_string(++sent_);
      const auto from = "49151" + std::to_string(1'000'000 + (conversations == 0 ? sent_ : i % conversations));
      auto submit = ProcessRig::message(text);
      submit.source.digits = from;
      ++waiting_;
      client_->submit(submit, [this, text](const smpp::SubmitResult& result) { take(text, result); });
    }
    rig_.loop.run_until([this] { return waiting_ == 0; });
  }

  const std::set<std::string>& accepted() const { return accepted_; }
  std::size_t refused() const { return refused_; }

 private:
  void take(const std::string& text, const smpp::SubmitResult& result) {
    --waiting_;
    if (result.accepted()) {
      accepted_.insert(text);
      return;
    }
    // An answer, not silence, and one that means "again later".
    CHECK(result.kind == smpp::SubmitResult::Kind::answered);
    CHECK(result.status == smpp::Status::throttled);
    ++refused_;
  }

  ProcessRig& rig_;
  std::unique_ptr<smpp::Client> client_;
  std::size_t sent_ = 0, waiting_ = 0, refused_ = 0;
  std::set<std::string> accepted_;
};

// Every accepted message is in the batches once, and nothing else is.
void check_drained(ProcessRig& rig, const Flood& flood) {
  rig.receiver.hang(false);
  std::multiset<std::string> delivered;
  for (const auto& batch : rig.batches_with(flood.accepted().size()))
    for (const auto& message : batch.messages) delivered.insert(message.text);
  CHECK(delivered.size() == flood.accepted().size());
  CHECK(std::set<std::string>(delivered.begin(), delivered.end()) == flood.accepted());
  CHECK(rig.receiver.complaints().empty());
}

}  // namespace

TEST_CASE("S25: one conversation behind a receiver that hangs is bounded, refused with \"again later\", and drains") {
  ProcessRig rig(milliseconds(50), small_bounds);
  rig.start();
  rig.receiver.hang(true);
  Flood flood(rig);
  for (int i = 0; i < 100 && flood.refused() == 0; ++i) flood.send(100, 1);
  REQUIRE(flood.refused() > 0);
  const auto before = memory_kib(rig);
  for (int i = 0; i < 30; ++i) flood.send(1'000, 1);
  // What it may hold: a batch on its way, one that is complete, and what it has not taken.
  CHECK(flood.accepted().size() <= 100 + 100 + 40);
  CHECK(flood.refused() > 29'000);
  check_growth(rig, before);
  check_drained(rig, flood);
  CHECK(rig.submit(*rig.bind(), "afterwards").accepted());
  CHECK(rig.end().clean());
}

TEST_CASE("S25: ever more conversations behind a receiver that hangs are refused, over a death too, and drain") {
  ProcessRig rig(milliseconds(20), small_bounds);
  rig.start();
  rig.receiver.hang(true);
  auto flood = std::make_unique<Flood>(rig);
  for (int i = 0; i < 400 && flood->refused() == 0; ++i) flood->send(20, 0);
  REQUIRE(flood->refused() > 0);
  const auto before = memory_kib(rig);
  for (int i = 0; i < 10; ++i) flood->send(1'000, 0);
  CHECK(flood->refused() > 9'000);
  CHECK(flood->accepted().size() < 2'000);
  check_growth(rig, before);
  const auto stats = rig.admin("GET", "/stats").json();
  CHECK(stats["intake"]["accepted"] == flood->accepted().size());
  rig.restart_after_kill();
  CHECK(rig.submit(*rig.bind(), "too early").status == smpp::Status::throttled);
  check_drained(rig, *flood);
}

TEST_CASE("S25: a peer that does not read its answers is not read from, and nobody else suffers") {
  ProcessRig rig(milliseconds(50), small_bounds);
  rig.start();
  const auto good = rig.bind();
  auto deaf = rig.raw_smpp();
  std::string pdu;
  smpp::Bind bind;
  bind.system_id = drill::account;
  bind.password = drill::account_password;
  smpp::append_bind(pdu, smpp::Command::bind_transmitter, 1, bind);
  boost::asio::write(deaf, boost::asio::buffer(pdu));
  const auto before = memory_kib(rig);
  std::string burst;
  for (std::uint32_t i = 2; i < 2'000; ++i)
    smpp::append_header_only(burst, smpp::Command::enquire_link, smpp::Status::ok, i);
  deaf.non_blocking(true);
  // Both sockets' buffers fill; then the gateway takes nothing more, and says so by silence on this connection alone.
  constexpr std::size_t far_too_much = 256u << 20;
  std::size_t taken = 0;  // PDUs may be cut anywhere: the next piece goes on there
  int silent = 0;
  while (silent < 3 && taken < far_too_much) {
    boost::system::error_code full;
    const auto count = deaf.write_some(boost::asio::buffer(burst) + taken % burst.size(), full);
    taken += count;
    silent = count == 0 ? silent + 1 : 0;
    if (count == 0) CHECK(rig.admin("GET", "/healthz").status == 200);  // a turn of its loop has passed
  }
  MESSAGE("a deaf peer could send ", taken, " bytes");
  CHECK(taken < far_too_much);
  check_growth(rig, before);
  rig.accepted(*good, "still here");
  rig.batches_with(1);
}

}  // namespace bobbin::faults
