#include "tools/gateway/retransmission.hpp"

#include "tools/gateway/dedup_id.hpp"

#include <doctest/doctest.h>

#include <string>

namespace bobbin::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = Judgement::Kind;

constexpr std::uint64_t first_session = 1;
constexpr std::uint64_t second_session = 2;

struct Rig {
  explicit Rig(RetransmissionOptions options = {}) : rules(options, [this] { return ++randomness; }) {}

  Judgement judge(std::string_view content, std::uint64_t session = first_session, std::string_view account = "alice") {
    return rules.judge(incoming(content, session, account), now);
  }

  static Incoming incoming(std::string_view content, std::uint64_t session = first_session,
                           std::string_view account = "alice") {
    Incoming message;
    message.session = session;
    message.account = account;
    message.source = "+491";
    message.destination = "+492";
    message.content = content;
    return message;
  }

  void accept(const Judgement& judgement) { rules.answered(judgement.ticket, Answer::accepted, now); }
  void pass(milliseconds time) { now += time; }
  void close(std::uint64_t session = first_session) { rules.session_closed(session, now); }

  std::uint64_t randomness = 0;
  Retransmission rules;
  Retransmission::Time now{seconds(1'000)};
};

TEST_CASE("equal texts on a living session are two messages") {
  Rig rig;
  const Judgement first = rig.judge("ok");
  CHECK(first.kind == Kind::fresh);
  const Judgement pipelined = rig.judge("ok");
  CHECK(pipelined.kind == Kind::fresh);
  CHECK(pipelined.dedup_id != first.dedup_id);
  rig.accept(first);
  rig.accept(pipelined);
  const Judgement later = rig.judge("ok");
  CHECK(later.kind == Kind::fresh);
  CHECK(later.dedup_id != first.dedup_id);
}

TEST_CASE("unanswered for 5 s, an equal text is the same message") {
  Rig rig;
  const Judgement first = rig.judge("ok");
  rig.pass(milliseconds(4'999));
  CHECK(rig.judge("ok").kind == Kind::fresh);
  rig.pass(milliseconds(1));
  const Judgement repetition = rig.judge("ok");
  CHECK(repetition.kind == Kind::repeated);
  CHECK(repetition.dedup_id == first.dedup_id);
  CHECK(rig.judge("other").kind == Kind::fresh);
}

TEST_CASE("two equal unanswered messages, both repeated: each repetition finds its own") {
  Rig rig;
  const Judgement first = rig.judge("ok");
  const Judgement second = rig.judge("ok");
  rig.pass(seconds(9));
  CHECK(rig.judge("ok").dedup_id == first.dedup_id);
  CHECK(rig.judge("ok").dedup_id == second.dedup_id);
  CHECK(rig.judge("ok").dedup_id == first.dedup_id);
}

TEST_CASE("a repetition may come on another session of the account") {
  Rig rig;
  const Judgement first = rig.judge("ok", first_session);
  rig.pass(seconds(5));
  CHECK(rig.judge("ok", second_session).dedup_id == first.dedup_id);
}

TEST_CASE("unanswered at the close, a message is absorbed once, within 60 s") {
  Rig rig;
  const Judgement first = rig.judge("ok");
  rig.close();
  SUBCASE("in time") {
    rig.pass(milliseconds(59'999));
    const Judgement repetition = rig.judge("ok", second_session);
    CHECK(repetition.kind == Kind::repeated);
    CHECK(repetition.dedup_id == first.dedup_id);
    CHECK(rig.judge("ok", second_session).kind == Kind::fresh);
  }
  SUBCASE("too late") {
    rig.pass(seconds(60));
    CHECK(rig.judge("ok", second_session).kind == Kind::fresh);
    CHECK(rig.rules.remembered() == 1);
  }
  SUBCASE("another account") { CHECK(rig.judge("ok", second_session, "bob").kind == Kind::fresh); }
  SUBCASE("another text") { CHECK(rig.judge("no", second_session).kind == Kind::fresh); }
}

TEST_CASE("an answer settles when its session lives 1 s longer") {
  Rig rig;
  const Judgement first = rig.judge("ok");
  rig.accept(first);
  SUBCASE("closed before") {
    rig.pass(milliseconds(999));
    rig.close();
    CHECK(rig.judge("ok", second_session).dedup_id == first.dedup_id);
  }
  SUBCASE("closed after") {
    rig.pass(milliseconds(1'000));
    rig.close();
    CHECK(rig.judge("ok", second_session).kind == Kind::fresh);
  }
}

TEST_CASE("a repetition that is cut off in its turn is absorbed again") {
  Rig rig;
  const Judgement first = rig.judge("ok", first_session);
  rig.close(first_session);
  CHECK(rig.judge("ok", second_session).dedup_id == first.dedup_id);
  rig.close(second_session);
  CHECK(rig.judge("ok", 3).dedup_id == first.dedup_id);
}

TEST_CASE("a commit that comes after the close leaves the message absorbable") {
  Rig rig;
  const Judgement first = rig.judge("ok");
  rig.close();
  rig.accept(first);
  rig.pass(seconds(10));
  CHECK(rig.judge("ok", second_session).dedup_id == first.dedup_id);
}

TEST_CASE("what was refused is new when it comes again, what is unknown is not") {
  Rig rig;
  const Judgement refused = rig.judge("full");
  rig.rules.answered(refused.ticket, Answer::refused, rig.now);
  CHECK(rig.judge("full").kind == Kind::fresh);
  const Judgement unknown = rig.judge("perhaps");
  rig.rules.answered(unknown.ticket, Answer::unknown, rig.now);
  CHECK(rig.judge("perhaps").dedup_id == unknown.dedup_id);
}

TEST_CASE("a refused repetition does not make the original forgotten") {
  Rig rig;
  const Judgement first = rig.judge("ok");
  rig.close();
  const Judgement repetition = rig.judge("ok", second_session);
  rig.rules.answered(repetition.ticket, Answer::refused, rig.now);
  CHECK(rig.judge("ok", second_session).dedup_id == first.dedup_id);
}

TEST_CASE("the answer to a message whose session has gone does not settle its repetition") {
  Rig rig;
  const Judgement first = rig.judge("ok", first_session);
  rig.close(first_session);
  CHECK(rig.judge("ok", second_session).dedup_id == first.dedup_id);
  rig.accept(first);
  rig.pass(seconds(2));
  rig.close(second_session);
  CHECK(rig.judge("ok", 3).dedup_id == first.dedup_id);
}

TEST_CASE("a repetition that is accepted settles like any message") {
  Rig rig;
  const Judgement first = rig.judge("ok");
  rig.close();
  const Judgement repetition = rig.judge("ok", second_session);
  rig.accept(first);
  rig.accept(repetition);
  CHECK(rig.judge("ok", second_session).kind == Kind::fresh);
  rig.pass(seconds(1));
  rig.judge("tick", second_session);
  CHECK(rig.rules.remembered() == 2);
}

TEST_CASE("user_message_reference alone decides where it is set") {
  Rig rig;
  Incoming message = Rig::incoming("ok");
  message.user_message_reference = 7;
  const Judgement first = rig.rules.judge(message, rig.now);
  CHECK(first.kind == Kind::derived);
  CHECK(rig.rules.judge(message, rig.now).dedup_id == first.dedup_id);
  rig.pass(seconds(1'000));
  CHECK(rig.rules.judge(message, rig.now).dedup_id == first.dedup_id);
  Incoming other = message;
  other.user_message_reference = 8;
  CHECK(rig.rules.judge(other, rig.now).dedup_id != first.dedup_id);
  other = message;
  other.content = "no";
  CHECK(rig.rules.judge(other, rig.now).dedup_id != first.dedup_id);
  other = message;
  other.account = "bob";
  CHECK(rig.rules.judge(other, rig.now).dedup_id != first.dedup_id);
  other = message;
  other.destination = "+493";
  CHECK(rig.rules.judge(other, rig.now).dedup_id != first.dedup_id);
  CHECK(rig.rules.remembered() == 0);
}

TEST_CASE("a part is known by its place, whatever the account") {
  Rig rig;
  Incoming message = Rig::incoming("part one");
  message.part = smpp::PartInfo{9, 3, 1};
  message.user_message_reference = 7;
  const Judgement first = rig.rules.judge(message, rig.now);
  CHECK(first.kind == Kind::derived);
  Incoming same = message;
  same.account = "bob";
  same.user_message_reference = 8;
  CHECK(rig.rules.judge(same, rig.now).dedup_id == first.dedup_id);
  for (const smpp::PartInfo part : {smpp::PartInfo{8, 3, 1}, smpp::PartInfo{9, 4, 1}, smpp::PartInfo{9, 3, 2}}) {
    Incoming other = message;
    other.part = part;
    CHECK(rig.rules.judge(other, rig.now).dedup_id != first.dedup_id);
  }
  // The reference has wrapped around.
  Incoming other = message;
  other.content = "another text";
  CHECK(rig.rules.judge(other, rig.now).dedup_id != first.dedup_id);
}

TEST_CASE("after a process death, what was accepted shortly before it is absorbed once, within 60 s") {
  std::string accepted;
  {
    Rig before;
    accepted = before.judge("ok").dedup_id;
  }
  Rig rig;
  rig.randomness = 1'000;
  const auto absorb = [&] { return rig.rules.absorb_after_restart(accepted, rig.now + seconds(60)); };
  SUBCASE("once") {
    CHECK(absorb());
    CHECK_FALSE(absorb());
    rig.pass(milliseconds(59'999));
    CHECK(rig.judge("ok", first_session, "bob").kind == Kind::fresh);
    const Judgement repetition = rig.judge("ok");
    CHECK(repetition.kind == Kind::repeated);
    CHECK(repetition.dedup_id == accepted);
    CHECK(rig.judge("ok").kind == Kind::fresh);
  }
  SUBCASE("60 s after the restart it is over") {
    CHECK(absorb());
    rig.pass(seconds(60));
    CHECK(rig.judge("ok").kind == Kind::fresh);
  }
  SUBCASE("ids of other kinds need no help") {
    CHECK_FALSE(rig.rules.absorb_after_restart(dedup_id_of_client("crm", "a", "b", "1"), rig.now + seconds(60)));
    CHECK_FALSE(rig.rules.absorb_after_restart("garbage", rig.now + seconds(60)));
    CHECK_FALSE(rig.rules.absorb_after_restart({}, rig.now + seconds(60)));
  }
}

TEST_CASE("two equal messages before the death absorb two, not three") {
  Rig before;
  const Judgement first = before.judge("ok");
  const Judgement second = before.judge("ok");
  Rig rig;
  rig.randomness = 1'000;
  CHECK(rig.rules.absorb_after_restart(first.dedup_id, rig.now + seconds(60)));
  CHECK(rig.rules.absorb_after_restart(second.dedup_id, rig.now + seconds(60)));
  CHECK(rig.judge("ok").dedup_id == first.dedup_id);
  CHECK(rig.judge("ok").dedup_id == second.dedup_id);
  CHECK(rig.judge("ok").kind == Kind::fresh);
}

TEST_CASE("memory is bounded, and what is over is dropped") {
  RetransmissionOptions options;
  options.remembered_max = 3;
  Rig rig(options);
  const Judgement first = rig.judge("1");
  rig.judge("2");
  rig.judge("3");
  const Judgement refused = rig.judge("4");
  CHECK(refused.kind == Kind::overloaded);
  CHECK(refused.dedup_id.empty());
  Incoming with_reference = Rig::incoming("5");
  with_reference.user_message_reference = 1;
  CHECK(rig.rules.judge(with_reference, rig.now).kind == Kind::derived);
  rig.accept(first);
  rig.pass(seconds(1));
  CHECK(rig.judge("4").kind == Kind::fresh);
  rig.close();
  rig.pass(seconds(60));
  rig.judge("6", second_session);
  CHECK(rig.rules.remembered() == 1);
}

TEST_CASE("ids hold no text, fit the engine, and differ by the occurrence") {
  Rig rig;
  const Judgement judgement = rig.judge("a secret text");
  CHECK(judgement.dedup_id.size() <= 64);
  CHECK(judgement.dedup_id.find("secret") == std::string::npos);
  CHECK(key_of(judgement.dedup_id).has_value());
  CHECK(rig.rules.fresh_dedup_id(Rig::incoming("x")) != rig.rules.fresh_dedup_id(Rig::incoming("x")));
  CHECK(hash_fields({"ab", "c"}) != hash_fields({"a", "bc"}));
  // BLAKE2b with 16 bytes over four bytes of length and the field.
  CHECK(hash_fields({}) == "cae66941d9efbd404e4d88758ea67670");
  CHECK(dedup_id_of_client("crm", "a", "b", "1") == dedup_id_of_client("crm", "a", "b", "1"));
  CHECK(dedup_id_of_client("crm", "a", "b", "1") != dedup_id_of_client("erp", "a", "b", "1"));
}

}  // namespace
}  // namespace bobbin::gateway
