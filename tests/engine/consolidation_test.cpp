// SMS consolidation with tumbling windows (S29), on a whole engine.
#include "tests/support/log_audit.hpp"
#include "tests/support/world.hpp"

#include <bobbin/workflows/sms_consolidation.hpp>

#include <doctest/doctest.h>

#include <algorithm>

using namespace bobbin;
using namespace bobbin::testing;
using namespace bobbin::workflows;
using namespace std::chrono_literals;

namespace {

using Text = std::string;
const InstanceName key{sms_consolidation, "alice>shop"};

// "closed_by[length in ms]text,text"
Text body_of(const SmsBatch& batch) {
  Text body = batch.closed_by + "[" + std::to_string((batch.closed_at - batch.opened_at) / 1ms) + "]";
  for (const auto& message : batch.messages)
    body += (&message == &batch.messages.front() ? "" : ",") + message.sms.text;
  return body;
}

class Shop {
 public:
  explicit Shop(SmsWindow window = {})
      : world([](Registry& registry) {
          register_sms_consolidation(registry, body_of);
          registry.activity(deliver_batch, [](const ActivityContext&, const BatchDelivery&) {});
        }),
        window_(window) {}

  Accepted send(const Text& text) {
    World::Answer<Accepted> answer;
    Sms sms;
    sms.from = "alice";
    sms.to = "shop";
    sms.text = text;
    world.engine().raise_event_with_start(key, window_, sms_event, sms, {.dedup_id = std::to_string(++sent_)},
                                          answer.callback());
    world.settle();
    REQUIRE(answer.given());
    return answer.get().value;
  }

  // The bodies on their way, oldest first.
  std::vector<Text> on_the_way() {
    world.settle();
    std::vector<Text> bodies;
    for (const auto& task : world.runner().tasks) bodies.push_back(decode<BatchDelivery>(task.input).body);
    return bodies;
  }

  // Delivers what is on its way, and what follows at once.
  std::vector<Text> deliver() {
    std::vector<Text> bodies;
    for (auto now = on_the_way(); !now.empty(); now = on_the_way()) {
      CHECK(now.size() == 1);  // one at a time
      bodies.push_back(now[0]);
      world.run_activity();
    }
    return bodies;
  }

  std::uint64_t runs() { return LogAudit(world.records()).runs; }

  void check_all_consumed() {
    const auto audit = LogAudit(world.records());
    CHECK(audit.violations == std::vector<Text>{});
    CHECK(audit.ledger(sms_consolidation).consumed == static_cast<std::uint64_t>(sent_));
    CHECK(!world.status(key).state.live());
  }

  World world;

 private:
  SmsWindow window_;
  int sent_ = 0;
};

using Bodies = std::vector<Text>;

}  // namespace

TEST_CASE("S29: two messages of one window leave as one batch, and the run ends when nothing waits") {
  Shop shop;
  shop.send("a");
  shop.world.pass(1ms);
  shop.send("b");
  shop.world.pass(5s - 1ms - 1us);
  CHECK(shop.on_the_way().empty());
  shop.world.pass(1us);
  CHECK(shop.deliver() == Bodies{"time[5000]a,b"});
  shop.check_all_consumed();
}

TEST_CASE("S29: a message accepted before the window's end is in it, one accepted at its end is in the next") {
  Shop shop;
  shop.send("first");
  shop.world.pass(5s - 1us);
  shop.send("last");
  shop.world.clock().advance(1us);
  shop.send("next");
  CHECK(shop.deliver() == Bodies{"time[5000]first,last"});
  shop.world.pass(5s);
  CHECK(shop.deliver() == Bodies{"time[5000]next"});
  shop.check_all_consumed();
}

TEST_CASE("S29: messages buffered behind a slow delivery fall into their own windows") {
  Shop shop;
  shop.send("a1");
  shop.world.pass(1s);
  shop.send("a2");
  shop.world.pass(4s);
  CHECK(shop.on_the_way() == Bodies{"time[5000]a1,a2"});  // and takes 18 s
  shop.world.pass(1s);
  shop.send("b1");  // at 6 s: until 11 s
  shop.world.pass(4s);
  shop.send("b2");  // at 10 s
  shop.world.pass(1s);
  shop.send("c1");  // at 11 s: until 16 s
  shop.world.pass(3s);
  shop.send("c2");  // at 14 s
  shop.world.pass(6s);
  shop.send("d1");  // at 20 s: until 25 s
  shop.world.pass(3s);
  CHECK(shop.deliver() == Bodies{"time[5000]a1,a2", "time[5000]b1,b2", "time[5000]c1,c2"});
  shop.world.pass(2s);
  CHECK(shop.deliver() == Bodies{"time[5000]d1"});
  shop.check_all_consumed();
}

TEST_CASE("S29: the same when every step is cut by a crash") {
  Shop shop;
  const auto crash = [&shop](Duration time) {
    shop.world.crash();
    shop.world.pass(time);
  };
  shop.send("a1");
  crash(5s);
  shop.send("b1");
  crash(4s);
  shop.send("b2");
  crash(1s);
  shop.send("c1");
  crash(5s);
  CHECK(shop.on_the_way() == Bodies{"time[5000]a1"});
  CHECK(shop.deliver() == Bodies{"time[5000]a1", "time[5000]b1,b2", "time[5000]c1"});
  shop.check_all_consumed();
}

TEST_CASE("S29: a window whose end passes while the process is down holds exactly its messages") {
  Shop shop;
  shop.send("a");
  shop.world.pass(4s);
  shop.send("b");
  shop.world.clock().advance(1h);
  shop.world.crash();
  shop.send("c");
  CHECK(shop.deliver() == Bodies{"time[5000]a,b"});
  shop.world.pass(5s);
  CHECK(shop.deliver() == Bodies{"time[5000]c"});
  shop.check_all_consumed();
}

TEST_CASE("S29: count, bytes and a flush word close a window at once, their message included") {
  SmsWindow window;
  Bodies expected;
  SUBCASE("count") {
    window.max_messages = 3;
    expected = {"count[0]one,two,stop", "time[5000]four"};
  }
  SUBCASE("bytes") {
    window.max_bytes = 10;
    expected = {"bytes[0]one,two,stop", "time[5000]four"};
  }
  SUBCASE("flush word") {
    window.flush_word = "stop";
    expected = {"flush[0]one,two,stop", "time[5000]four"};
  }
  Shop shop(window);
  for (const auto* text : {"one", "two", "stop", "four"}) shop.send(text);
  auto delivered = shop.deliver();
  shop.world.pass(5s);
  for (const auto& body : shop.deliver()) delivered.push_back(body);
  CHECK(delivered == expected);
  shop.check_all_consumed();
}

TEST_CASE("S29: a first message can close its own window") {
  SmsWindow window;
  window.max_messages = 1;
  Shop shop(window);
  shop.send("a");
  shop.send("b");
  CHECK(shop.deliver() == Bodies{"count[0]a", "count[0]b"});
  shop.check_all_consumed();
}

TEST_CASE("S29: a run serves 100 windows and leaves the rest to its successor") {
  SmsWindow window;
  window.max_messages = 1;
  Shop shop(window);
  Bodies expected;
  for (int i = 0; i < 250; ++i) {
    shop.send(std::to_string(i));
    expected.push_back("count[0]" + std::to_string(i));
  }
  CHECK(shop.deliver() == expected);
  CHECK(shop.runs() == 3);
  shop.check_all_consumed();
}

TEST_CASE("S29: steady messages and crashes: every message is in exactly one batch, in order, in its window") {
  Shop shop;
  Bodies delivered;
  Text expected;
  for (int i = 0; i < 400; ++i) {
    shop.send(std::to_string(i));
    expected += std::to_string(i) + ",";
    shop.world.pass(777ms);
    if (i % 13 == 0) shop.world.crash();
    if (i % 5 == 0)
      for (const auto& body : shop.deliver()) delivered.push_back(body);
  }
  for (int i = 0; i < 3; ++i) {
    for (const auto& body : shop.deliver()) delivered.push_back(body);
    shop.world.pass(5s);
  }
  Text all;
  for (const auto& body : delivered) {
    CHECK(body.starts_with("time[5000]"));
    all += body.substr(10) + ",";
    CHECK(std::count(body.begin(), body.end(), ',') <= 6);  // 777 ms apart: at most seven in 5 s
  }
  CHECK(all == expected);
  CHECK(shop.runs() < 400);
  shop.check_all_consumed();
}

TEST_CASE("S29, S31: a batch that fails for good is a dead letter, and the next one follows") {
  SmsWindow window;
  window.max_messages = 1;
  window.delivery_attempts = 2;
  window.delivery_jitter = 0;
  Shop shop(window);
  shop.send("a");
  shop.send("b");
  const ActivityOutcome failure{nullptr, {ErrorCode::application, "Http", "500", false}};
  const auto idempotency = shop.world.runner().tasks.front().context.idempotency_key;
  shop.world.end_activity(failure);
  CHECK(shop.on_the_way().empty());  // b waits behind a's retry
  shop.world.pass(1s);
  REQUIRE(shop.on_the_way() == Bodies{"count[0]a"});
  CHECK(shop.world.runner().tasks.front().context.idempotency_key == idempotency);
  shop.world.end_activity(failure);
  CHECK(shop.deliver() == Bodies{"count[0]b"});
  const auto letters = shop.world.dead_letters();
  REQUIRE(letters.size() == 1);
  CHECK(letters[0].what == deliver_batch);
  shop.world.redrive(letters[0].position);
  REQUIRE(shop.on_the_way() == Bodies{"count[0]a"});
  CHECK(shop.world.runner().tasks.front().context.idempotency_key == idempotency);
  shop.deliver();
  shop.check_all_consumed();
}
