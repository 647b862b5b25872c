#include "storage/codec/codec.hpp"

#include "storage/log/frame.hpp"
#include "tests/storage/generate.hpp"

#include <bobbin/error.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <vector>

using namespace bobbin;
using namespace bobbin::storage;
using bobbin::test::Generator;
using bobbin::test::show;

namespace {

std::string_view view(Encoder::Buffer buffer) { return {reinterpret_cast<const char*>(buffer.data()), buffer.size()}; }

std::string_view body_of(Encoder::Buffer buffer) { return view(buffer).substr(Encoder::headroom); }

// Bytes at an 8-byte boundary, with nothing readable behind them for a sanitizer to miss.
class Aligned {
 public:
  explicit Aligned(std::string_view bytes) : words_((bytes.size() + 7) / 8), size_(bytes.size()) {
    std::memcpy(words_.data(), bytes.data(), bytes.size());
  }
  char* data() { return reinterpret_cast<char*>(words_.data()); }
  std::string_view view() const { return {reinterpret_cast<const char*>(words_.data()), size_}; }

 private:
  std::vector<std::uint64_t> words_;
  std::size_t size_;
};

}  // namespace

TEST_CASE("every kind of record comes back as it was, with every member") {
  Encoder encoder;
  Generator generate(1);
  for (int round = 0; round < 3000; ++round) {
    const auto kind = static_cast<std::size_t>(round) % std::variant_size_v<RecordBody>;
    const auto record = generate.record(1 + generate.below(1000), kind);
    const auto body = body_of(encoder.encode(record));
    REQUIRE(body.size() % 8 == 0);
    REQUIRE(show(decode_record(body, record.lsn, "a record")) == show(record));
  }
}

TEST_CASE("every kind of row comes back as it was") {
  Encoder encoder;
  Generator generate(2);
  for (int round = 0; round < 500; ++round) {
    const auto state = generate.instance(9);
    const auto due = generate.coin() ? std::optional(generate.time()) : std::nullopt;
    const auto row = decode_instance(body_of(encoder.encode(state, due)), "a row");
    REQUIRE(show(row.state) == show(state));
    REQUIRE(row.due == due);
    REQUIRE(decode_instance_due(body_of(encoder.encode(state, due)), "a row") == due);
    const auto ledger = generate.ledger(9);
    REQUIRE(show(decode_ledger(body_of(encoder.encode(ledger)), "a row")) == show(ledger));
    const auto letter = generate.dead_letter(9);
    REQUIRE(show(decode_dead_letter(body_of(encoder.encode(letter)), "a row")) == show(letter));
    const auto schema = generate.schema();
    REQUIRE(decode_schema(body_of(encoder.encode(schema)), "a row") == schema);
  }
  const LogStateRow state{{7, generate.time(), generate.elapsed(), 3, generate.id()}, 5, 6};
  const auto state_back = decode_log_state(body_of(encoder.encode(state)), "a row");
  CHECK(state_back.fold_from == 5);
  CHECK(state_back.rows_from == 6);
  CHECK(state_back.state.log_time == state.state.log_time);
  CHECK(state_back.state.elapsed == state.state.elapsed);
  CHECK(state_back.state.opens == 3);
  CHECK(state_back.state.epoch == state.state.epoch);
  const DedupRun run{3, 4, 5, Elapsed(6)};
  const auto run_back = decode_dedup_run(body_of(encoder.encode(run)), "a row");
  CHECK(run_back.run == 3);
  CHECK(run_back.entries == 4);
  CHECK(run_back.last_lsn == 5);
  CHECK(run_back.newest == Elapsed(6));
}

TEST_CASE("a value keeps no trace of a larger one before it, and large ones are whole") {
  Encoder encoder;
  const auto small = test::plain_turn(5, 10);
  const std::string alone(body_of(encoder.encode(small)));
  for (const std::size_t size : {16'000u, 100'000u, 5'000'000u}) {
    const auto large = test::plain_turn(5, size);
    CHECK(show(decode_record(body_of(encoder.encode(large)), 5, "a record")) == show(large));
    CHECK(body_of(encoder.encode(small)) == alone);
  }
}

TEST_CASE("a plain turn is small") {
  Encoder encoder;
  const auto record = test::plain_turn(1000, 300);
  // 300 bytes of payload, 24 of start input, 3 of name and 12 of dedup id are the caller's.
  CHECK(body_of(encoder.encode(record)).size() <= 640);
}

TEST_CASE("a value that is too large is refused") {
  Encoder encoder;
  CHECK_THROWS_AS(encoder.encode(test::plain_turn(1, Encoder::body_bytes_max + 8)), InvalidArgument);
  CHECK_NOTHROW(encoder.encode(test::plain_turn(1, 8)));
}

TEST_CASE("bytes that nobody wrote are refused or read within bounds, never more") {
  Encoder encoder;
  Generator generate(3);
  std::size_t refused = 0;
  for (int round = 0; round < 400; ++round) {
    const auto record = generate.record(5);
    Aligned body(body_of(encoder.encode(record)));
    for (int flip = 0; flip < 60; ++flip) {
      const auto at = generate.below(body.view().size());
      const auto mask = static_cast<char>(1 + generate.below(255));
      body.data()[at] = static_cast<char>(body.data()[at] ^ mask);
      try {
        decode_record(body.view(), 5, "a record");
      } catch (const Corrupt&) {
        ++refused;
      } catch (const UnsupportedFormat&) {
        ++refused;
      }
      if (generate.coin()) body.data()[at] = static_cast<char>(body.data()[at] ^ mask);
    }
  }
  CHECK(refused > 1000);
}

TEST_CASE("bytes cut short are refused") {
  Encoder encoder;
  const auto record = test::plain_turn(5, 300);
  const Aligned body(body_of(encoder.encode(record)));
  CHECK_THROWS_AS(decode_record({}, 5, "a record"), Corrupt);
  for (std::size_t size = 8; size + 48 < body.view().size(); size += 8) {
    const Aligned cut(body.view().substr(0, size));
    CHECK_THROWS_AS(decode_record(cut.view(), 5, "a record"), Corrupt);
  }
  CHECK_THROWS_AS(decode_record(body.view().substr(0, 13), 5, "a record"), Corrupt);
  CHECK_THROWS_AS(decode_record(body.view().substr(4, 16), 5, "a record"), Corrupt);
}

TEST_CASE("a record that follows itself or a later one in its run is refused: a walk backwards ends") {
  Encoder encoder;
  auto record = test::plain_turn(5, 30);
  for (const Lsn previous : {5u, 6u, 1000u}) {
    record.run_previous = previous;
    CHECK_THROWS_AS(decode_record(body_of(encoder.encode(record)), 5, "a record"), Corrupt);
  }
  record.run_previous = 4;
  CHECK(decode_record(body_of(encoder.encode(record)), 5, "a record").run_previous == 4);
}

TEST_CASE("what no caller may give, and no engine may decide, is damage where it stands in the log") {
  Encoder encoder;
  const auto refused = [](const auto& decode, const std::string& why) {
    try {
      decode();
      return false;
    } catch (const Corrupt& error) {
      const std::string text = error.what();
      return text.find("the place") != std::string::npos && text.find(why) != std::string::npos;
    }
  };
  const std::string longest_name(128, 'o'), longest_key(1024, 'k');
  DeadLetter letter;
  const auto letter_of = [&](const InstanceName& name) {
    letter.name = name;
    decode_dead_letter(body_of(encoder.encode(letter)), "the place");
  };
  letter.state = DeadLetterState::dead;
  CHECK_NOTHROW(letter_of({"o", "k"}));
  CHECK_NOTHROW(letter_of({longest_name, longest_key}));
  for (const InstanceName& name : {InstanceName{"", "k"}, InstanceName{longest_name + "o", "k"}})
    CHECK(refused([&] { letter_of(name); }, "an orchestrator's name has"));
  for (const InstanceName& name : {InstanceName{"o", ""}, InstanceName{"o", longest_key + "k"}})
    CHECK(refused([&] { letter_of(name); }, "a key has"));

  const auto turn_of = [&](TurnBody body) {
    auto record = test::plain_turn(5, 8);
    record.body = std::move(body);
    decode_record(body_of(encoder.encode(record)), 5, "the place");
  };
  StartInput start;
  CHECK(refused([&] { turn_of({{start}, {}, {}}); }, "an orchestrator's name has 0 bytes"));
  ActivityFailed failed{1, 1, {}, false};
  CHECK(refused([&] { turn_of({{failed}, {}, {}}); }, "a failure has no code"));
  failed.error.code = ErrorCode::application;
  CHECK_NOTHROW(turn_of({{failed}, {}, {}}));
  const auto policy_of = [&](const RetryPolicy& policy) {
    turn_of({{}, {ActivityScheduled{1, "do", nullptr, {policy, false}}}, {}});
  };
  CHECK_NOTHROW(policy_of({}));
  const auto impossible = [&](auto change) {
    RetryPolicy policy;
    change(policy);
    return refused([&] { policy_of(policy); }, "a retry policy");
  };
  CHECK(impossible([](RetryPolicy& policy) { policy.factor = 0.99; }));
  CHECK(impossible([](RetryPolicy& policy) { policy.factor = std::nan(""); }));
  CHECK(impossible([](RetryPolicy& policy) { policy.jitter = 1.01; }));
  CHECK(impossible([](RetryPolicy& policy) { policy.jitter = std::nan(""); }));
  CHECK(impossible([](RetryPolicy& policy) { policy.first_delay = Duration(-1); }));
  CHECK(impossible([](RetryPolicy& policy) { policy.cap = Duration(-1); }));
}

TEST_CASE("kinds and numbers of a newer format stop the reader") {
  Encoder encoder;
  Aligned body(body_of(encoder.encode(test::plain_turn(5, 30))));
  // The record's kind is the 16-bit number behind seven words of its data section, which follows the root pointer.
  body.data()[8 + 56] = 99;
  try {
    decode_record(body.view(), 5, Label("record", 5));
    FAIL("an unknown kind of record was accepted");
  } catch (const UnsupportedFormat& error) {
    CHECK(std::string(error.what()).find("record 5") != std::string::npos);
    CHECK(std::string(error.what()).find("99") != std::string::npos);
  }
  auto end = test::plain_turn(5, 30);
  std::get<TurnBody>(end.body).end = RunEnd{static_cast<RunOutcome>(4), nullptr, {}, {}};
  CHECK_THROWS_AS(decode_record(body_of(encoder.encode(end)), 5, "a record"), UnsupportedFormat);
  auto payload = test::plain_turn(5, 30);
  std::get<EventInput>(std::get<TurnBody>(payload.body).inputs[0]).event.value =
      std::make_shared<const Payload>(Payload{static_cast<CodecId>(77), 0, 0, {}});
  CHECK_THROWS_AS(decode_record(body_of(encoder.encode(payload)), 5, "a record"), UnsupportedFormat);
  InstanceState state;
  state.status = static_cast<RunStatus>(9);
  CHECK_THROWS_AS(decode_instance(body_of(encoder.encode(state, {})), "a row"), UnsupportedFormat);
}

TEST_CASE("any flipped bit of a framed record or row is found") {
  Encoder encoder;
  auto framed = encoder.encode(test::plain_turn(5, 50));
  seal_record(framed, 5, 1234);
  Aligned record(view(framed));
  CHECK(open_record(record.view(), 5, "record").previous_checksum == 1234);
  CHECK_THROWS_AS(open_record(record.view(), 6, "record"), Corrupt);
  for (std::size_t bit = 0; bit < record.view().size() * 8; ++bit) {
    record.data()[bit / 8] = static_cast<char>(record.data()[bit / 8] ^ (1 << bit % 8));
    REQUIRE_THROWS_AS(open_record(record.view(), 5, "record"), Corrupt);
    record.data()[bit / 8] = static_cast<char>(record.data()[bit / 8] ^ (1 << bit % 8));
  }
  auto row_buffer = encoder.encode(Ledger{1, "consolidate", 1, 1, 0, 0, 0, 0, 0}).subspan(Encoder::headroom - 16);
  seal_row(row_buffer, "the key!");
  Aligned row(view(row_buffer));
  CHECK_NOTHROW(open_row(row.view(), "the key!", "row"));
  CHECK_THROWS_AS(open_row(row.view(), "the kez!", "row"), Corrupt);
  for (std::size_t bit = 0; bit < row.view().size() * 8; ++bit) {
    row.data()[bit / 8] = static_cast<char>(row.data()[bit / 8] ^ (1 << bit % 8));
    REQUIRE_THROWS_AS(open_row(row.view(), "the key!", "row"), Corrupt);
    row.data()[bit / 8] = static_cast<char>(row.data()[bit / 8] ^ (1 << bit % 8));
  }
}
