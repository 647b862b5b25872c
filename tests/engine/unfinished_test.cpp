// What unfinished runs may still write (S26), by what they were given: carried events, long runs, ends.
#include "engine/runtime/unfinished.hpp"

#include "engine/runtime/overlay.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace bobbin;

namespace {

PayloadPtr payload(std::size_t bytes) {
  return std::make_shared<const Payload>(Payload{CodecId::none, 0, 0, std::string(bytes, 'x')});
}

Event event(std::size_t bytes) {
  Event event;
  event.value = payload(bytes);
  return event;
}

// A run and the records that it is folded from.
class Run {
 public:
  explicit Run(Unfinished& unfinished) : unfinished_(unfinished) {
    instance.state.status = RunStatus::running;
    instance.state.run = 1;
  }
  void start(std::vector<Event> carried = {}) {
    StartInput start;
    start.carried = std::move(carried);
    turn({{std::move(start)}, {}, {}});
  }
  void given(std::size_t bytes) { turn({{EventInput{event(bytes), {}}}, {}, {}}); }
  void passes_on(std::size_t bytes) {
    instance.state.activities.emplace_back();
    turn({{}, {ActivityScheduled{1, "do", payload(bytes), {}}}, {}});
  }
  void activity_ends(std::size_t bytes) {
    instance.state.activities.clear();
    turn({{ActivityCompleted{1, 1, payload(bytes)}}, {}, {}});
  }
  void ends() {
    instance.state.status = RunStatus::completed;
    turn({});
  }

  Instance instance;

 private:
  void turn(TurnBody body) {
    Record record;
    record.lsn = ++last_;
    record.run = 1;
    record.body = std::move(body);
    unfinished_.note(instance, record);
  }

  Unfinished& unfinished_;
  Lsn last_ = 0;
};

constexpr std::uint64_t kibibyte = 1 << 10;

}  // namespace

TEST_CASE("S26: carried events owe what they would owe had they just come") {
  Unfinished carried(0), come(0);
  Run one(carried), other(come);
  one.start({event(4'000), event(5'000), event(6'000)});
  other.start();
  for (const std::size_t bytes : {4'000, 5'000, 6'000}) other.given(bytes);
  CHECK(carried.bytes() == come.bytes());
  // To an activity, back from it, and as the run's result.
  CHECK(carried.bytes() >= 3 * 15'000);
  CHECK(carried.bytes() < 4 * 15'000);
}

TEST_CASE("S26: an event owes something however small it is, carried or not") {
  Unfinished none(0), some(0);
  Run(none).start();
  Run(some).start(std::vector<Event>(1'000, event(0)));
  CHECK(some.bytes() - none.bytes() >= 1'000 * 128);
}

TEST_CASE("S26: what a run has passed on it owes until its activity has ended") {
  Unfinished unfinished(0);
  Run run(unfinished);
  run.start();
  const auto idle = unfinished.bytes();
  run.given(4'000);
  const auto holding = unfinished.bytes();
  run.passes_on(4'000);
  CHECK(unfinished.bytes() < holding);
  CHECK(unfinished.bytes() >= idle + 2 * 4'000);  // its result, and the run's
  run.activity_ends(10);
  CHECK(unfinished.bytes() < idle + kibibyte);
}

TEST_CASE("S26: a long run owes for what it holds now, not for all that it ever was given") {
  Unfinished unfinished(0);
  Run run(unfinished);
  run.start();
  const auto idle = unfinished.bytes();
  std::uint64_t most = 0;
  for (int i = 0; i < 10'000; ++i) {
    run.given(1'000);
    run.passes_on(1'000 + 128);
    most = std::max(most, unfinished.bytes());
    run.activity_ends(0);
  }
  CHECK(most < idle + 8 * kibibyte);
  CHECK(unfinished.bytes() < idle + kibibyte);
}

TEST_CASE("S26: a run that passes nothing on owes no more than a few payloads, however long it is given something") {
  Unfinished unfinished(0);
  Run run(unfinished);
  run.start();
  for (int i = 0; i < 10'000; ++i) run.given(10'000);
  const auto most = unfinished.bytes();
  CHECK(most < std::uint64_t{16} << 20);
  run.given(10'000);
  CHECK(unfinished.bytes() == most);
}

TEST_CASE("S26: an ended run owes its row until that is on its way, a mailbox its expiry") {
  Unfinished unfinished(0);
  Run run(unfinished);
  run.start();
  run.given(4'000);
  SUBCASE("nothing is left over") {
    run.instance.state.name.key = std::string(1'000, 'k');
    SUBCASE("the row is stored already") {
      run.ends();
      CHECK(unfinished.bytes() == 0);
      return;
    }
    run.instance.dirty_since = 1;
    run.ends();
    CHECK(unfinished.bytes() >= 1'000);
    CHECK(unfinished.bytes() < 4 * kibibyte);
    unfinished.row_leaves(run.instance);
    CHECK(unfinished.bytes() == 0);
  }
  SUBCASE("an event is left over") {
    run.instance.state.unread.emplace_back();
    run.ends();
    unfinished.row_leaves(run.instance);
    CHECK(unfinished.bytes() > 0);
    CHECK(unfinished.bytes() < kibibyte);
  }
}

TEST_CASE("S26: what leaves memory is still owed, and comes back as a share of all that is away") {
  Unfinished unfinished(2);
  CHECK(unfinished.bytes() > 0);
  Run run(unfinished);
  run.start();
  run.given(40'000);
  const auto all = unfinished.bytes();
  unfinished.leaves(run.instance);
  CHECK(unfinished.bytes() == all);
  std::uint64_t owed = 0;
  for (int i = 0; i < 3; ++i) {
    Run back(unfinished);
    unfinished.returns(back.instance);
    owed += back.instance.owed.bytes;
  }
  CHECK(unfinished.bytes() == all);
  CHECK(owed == all);
}
