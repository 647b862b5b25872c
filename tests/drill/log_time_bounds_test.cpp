// What the log's time may be while the wall clock jumps (S4).
#include "tools/drill/clock/log_time_bounds.hpp"

#include <doctest/doctest.h>

namespace bobbin::drill {

namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

LogTime at(Duration time) { return LogTime(hours(1'000) + time); }

}  // namespace

TEST_CASE("S4: log time follows a jump forward, at once or a moment later, and none back") {
  LogTimeBounds bounds;
  bounds.stepped(at(seconds(10)), hours(3));
  CHECK(bounds.latest(at(seconds(9))) == at(seconds(9)));
  CHECK(bounds.earliest(at(seconds(10))) == at(seconds(10)));
  CHECK(bounds.latest(at(seconds(10))) == at(seconds(10)) + hours(3));
  CHECK(bounds.earliest(at(seconds(11))) == at(seconds(11)) + hours(3));
  bounds.stepped(at(seconds(20)), hours(-5));
  CHECK(bounds.earliest(at(seconds(30))) == at(seconds(30)) + hours(3));
  CHECK(bounds.latest(at(seconds(30))) == at(seconds(30)) + hours(3));
}

TEST_CASE("a jump right behind another counts from its own moment") {
  LogTimeBounds bounds;
  bounds.stepped(at(seconds(10)), hours(3));
  bounds.stepped(at(seconds(10) + milliseconds(100)), hours(4));
  CHECK(bounds.latest(at(seconds(10) + milliseconds(50))) == at(seconds(10) + milliseconds(50)) + hours(3));
  CHECK(bounds.latest(at(seconds(10) + milliseconds(200))) == at(seconds(10) + milliseconds(200)) + hours(4));
  CHECK(bounds.earliest(at(seconds(10) + milliseconds(200))) == at(seconds(10) + milliseconds(200)));
  CHECK(bounds.earliest(at(seconds(11))) == at(seconds(11)) + hours(4));
}

TEST_CASE("S4: a log that is opened goes on from the later of its last record and the wall clock") {
  LogTimeBounds bounds;
  bounds.stepped(at(seconds(10)), hours(3));
  bounds.reopened(at(seconds(20)), at(seconds(22)), hours(-1));
  CHECK(bounds.latest(at(seconds(30))) == at(seconds(30)) + hours(3));
  CHECK(bounds.earliest(at(seconds(30))) == at(seconds(27)) + hours(3));  // 2 s of death, 1 s without a record
  bounds.reopened(at(seconds(40)), at(seconds(41)), hours(9));
  CHECK(bounds.earliest(at(seconds(50))) == at(seconds(50)) + hours(9));
  CHECK(bounds.latest(at(seconds(50))) == at(seconds(50)) + hours(9));
}

TEST_CASE("a jump that a death came before may never have been seen") {
  LogTimeBounds bounds;
  bounds.stepped(at(seconds(10)), hours(3));
  bounds.reopened(at(seconds(10) + milliseconds(100)), at(seconds(11)), Duration{});
  CHECK(bounds.earliest(at(seconds(20))) == at(seconds(20)));
  CHECK(bounds.latest(at(seconds(20))) == at(seconds(20)) + hours(3));
}

TEST_CASE("a message's times are those that the log may have told at the earliest and at the latest") {
  LogTimeBounds bounds;
  bounds.stepped(at(seconds(10)), hours(3));
  SentMessages sent(1);
  sent.front().first_sent = at(seconds(9));
  sent.front().acknowledged = at(seconds(12));
  const auto moved = bounds.in_log_time(sent);
  CHECK(moved.front().first_sent == at(seconds(9)));
  CHECK(moved.front().acknowledged == at(seconds(12)) + hours(3));
}

}  // namespace bobbin::drill
