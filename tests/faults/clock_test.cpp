// The wall clock set to 1970 and back, hours forward and back, under the running gateway and between its lives (S4).
#include "tests/faults/fault_rig.hpp"
#include "tools/gateway/boot_time.hpp"

#include <bobbin/lmdb.hpp>

#include <doctest/doctest.h>

#include <set>

namespace bobbin::faults {

namespace {

using drill::BatchBody;
using drill::ProcessRig;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr milliseconds window{400};

microseconds since_1970() {
  return std::chrono::duration_cast<microseconds>(std::chrono::system_clock::now().time_since_epoch());
}

class Conversation {
 public:
  explicit Conversation(ProcessRig& rig) : rig_(rig) {}

  // Sends one message, waits for its batch, and checks that the window was kept by the machine's clock.
  void one_window() {
    const auto began = boot_time();
    rig_.accepted(*rig_.bind(), "message " + std::to_string(++sent_));
    rig_.batches_with(sent_);
    CHECK(boot_time() - began >= window);
  }
  // Sends one message, shifts the clock, and waits for the batch.
  void one_window_with_shift(Faults& faults, microseconds offset, bool kept) {
    const auto began = boot_time();
    rig_.accepted(*rig_.bind(), "message " + std::to_string(++sent_));
    faults.shift_wall_clock(offset);
    rig_.batches_with(sent_);
    if (kept) CHECK(boot_time() - began >= window);
  }

  // All batches so far: each its own window's length in log time, acceptance in order, nothing lost or doubled.
  void check() {
    std::int64_t last = 0;
    std::set<std::string> texts;
    for (const auto& batch : rig_.batches_with(sent_))
      for (const auto& message : batch.messages) {
        const auto at = std::chrono::duration_cast<microseconds>(message.accepted_at.time_since_epoch()).count();
        CHECK(at >= last);
        last = at;
        CHECK(texts.insert(message.text).second);
      }
    CHECK(texts.size() == sent_);
    CHECK(rig_.receiver.complaints().empty());
  }

 private:
  ProcessRig& rig_;
  std::size_t sent_ = 0;
};

// Log time never goes back; answers how often it jumped.
std::size_t clock_steps(const std::filesystem::path& log) {
  const auto reader = open_lmdb_read_only(log);
  LogTime last{};
  std::size_t steps = 0;
  reader->snapshot()->scan(1, [&](Record&& record) {
    CHECK(record.log_time >= last);
    last = record.log_time;
    steps += std::holds_alternative<ClockStepBody>(record.body);
    return true;
  });
  return steps;
}

}  // namespace

TEST_CASE("S4: a wall clock that goes back, to 1970 too, ends no window early, over deaths as well") {
  ProcessRig rig(window);
  Faults faults(rig.directory());
  Conversation conversation(rig);
  rig.start();
  conversation.one_window();
  conversation.one_window_with_shift(faults, -since_1970() + hours(1), true);
  conversation.one_window();
  rig.restart_after_kill();  // it begins in 1970, behind its own log
  conversation.one_window();
  conversation.one_window_with_shift(faults, microseconds(0), true);
  faults.shift_wall_clock(-hours(3));
  conversation.one_window();
  rig.restart_after_kill();
  conversation.one_window_with_shift(faults, -hours(30), true);
  conversation.check();
  CHECK(rig.end().clean());
  CHECK(clock_steps(rig.directory() / "data") == 0);
}

TEST_CASE("S4: a wall clock that goes forward takes log time with it, which is recorded, and does not bring it back") {
  ProcessRig rig(window);
  Faults faults(rig.directory());
  Conversation conversation(rig);
  rig.start();
  conversation.one_window();
  conversation.one_window_with_shift(faults, hours(5), false);  // ends with the jump: it is over by the wall clock
  conversation.one_window();
  conversation.one_window_with_shift(faults, microseconds(0), true);
  rig.restart_after_kill();  // five hours behind its log
  conversation.one_window();
  conversation.check();
  rig.gateway.kill_hard();
  CHECK(clock_steps(rig.directory() / "data") == 1);

  faults.shift_wall_clock(hours(9));  // while it is down: no step, it begins there
  rig.start();
  conversation.one_window();
  conversation.check();
  CHECK(rig.end().clean());
  CHECK(clock_steps(rig.directory() / "data") == 1);
}

TEST_CASE("S4: a log that was begun in 1970 goes on when the clock is set right") {
  ProcessRig rig(window);
  Faults faults(rig.directory());
  Conversation conversation(rig);
  faults.shift_wall_clock(-since_1970());
  rig.start();
  conversation.one_window();
  conversation.one_window_with_shift(faults, microseconds(0), false);
  conversation.one_window();
  conversation.check();
  CHECK(rig.end().clean());
  CHECK(clock_steps(rig.directory() / "data") == 1);
}

}  // namespace bobbin::faults
