// The engine as a host runs it: real threads, a real log on disk.
#include "tests/support/log_audit.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/test_options.hpp"

#include <bobbin/engine.hpp>
#include <bobbin/lmdb.hpp>
#include <bobbin/memory_store.hpp>
#include <bobbin/verify.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <future>
#include <latch>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <thread>

using namespace bobbin;
using namespace bobbin::testing;
using namespace std::chrono_literals;

namespace {

using Text = std::string;

Registry registry_of(const std::function<void(Registry&)>& registration) {
  Registry registry;
  registration(registry);
  return registry;
}

void run_threads(int count, const std::function<void(int)>& work) {
  std::latch together(count);
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i)
    threads.emplace_back([&, i] {
      together.arrive_and_wait();
      work(i);
    });
  for (auto& thread : threads) thread.join();
}

LogAudit audit_of(const std::filesystem::path& directory) {
  std::vector<Record> records;
  const auto reader = open_lmdb_read_only(directory);
  const auto snapshot = reader->snapshot();
  CHECK(verify(*snapshot).ok());
  snapshot->scan(1, [&records](Record&& record) {
    records.push_back(std::move(record));
    return true;
  });
  return LogAudit(records);
}

// Takes events until none comes for the window's length.
Text window(Context& ctx, const Text&) {
  int count = 0;
  auto closes = ctx.create_timer(2ms);
  while (ctx.wait_for_event<Text>("e", closes)) ++count;
  return ctx.call_activity<Text>("deliver", std::to_string(count));
}

void registration(Registry& registry) {
  registry.orchestrator("window", window);
  registry.orchestrator("wait", [](Context& ctx, const Text&) { return ctx.wait_for_event<Text>("e").value; });
  registry.activity("deliver", [](const ActivityContext&, const Text& batch) { return batch; });
}

}  // namespace

TEST_CASE("S24, S27: a closing engine answers every call that it has taken in, however much waits before it") {
  for (int round = 0; round < 40; ++round) {
    std::atomic<int> answered{0};
    int sent = 0;
    auto options = with_test_defaults();
    options.batch_records = 1;  // the lane often has requests in hand that it cannot act on yet
    Engine engine(MemoryDisk::create(1)->open(), registry_of(registration), options);
    for (; sent < 400; ++sent)
      engine.raise_event({"wait", std::to_string(sent % 50)}, "e", Text("x"), {},
                         [&answered](const Result<Accepted>&) { ++answered; });
    engine.close(Duration::zero());
    CHECK(answered == sent);
  }
}

TEST_CASE("P3: 200 concurrent starts of one key give one run") {
  const TemporaryDirectory directory;
  std::vector<Accepted> answers(200);
  {
    Engine engine(open_lmdb(directory.path()), registry_of(registration), with_test_defaults());
    run_threads(200, [&](int i) {
      answers[static_cast<std::size_t>(i)] = engine.start({"wait", "k"}, std::to_string(i));
    });
  }
  std::map<Acceptance, int> how;
  for (const auto& answer : answers) {
    ++how[answer.how];
    CHECK(answer.run == answers[0].run);
  }
  CHECK(how[Acceptance::started] == 1);
  CHECK(how[Acceptance::existing] == 199);
  const auto audit = audit_of(directory.path());
  CHECK(audit.runs == 1);
  CHECK(audit.violations.empty());
}

TEST_CASE("P3: 200 concurrent first events of one key give one run, which takes them all") {
  const TemporaryDirectory directory;
  std::map<Acceptance, int> how;
  {
    Engine engine(open_lmdb(directory.path()), registry_of([](Registry& registry) {
                    registry.orchestrator("all", [](Context& ctx, const Text&) {
                      for (int i = 0; i < 200; ++i) ctx.wait_for_event<Text>("e");
                    });
                  }),
                  with_test_defaults());
    std::mutex mutex;
    run_threads(200, [&](int i) {
      const auto answer =
          engine.raise_event_with_start({"all", "k"}, Text(), "e", std::to_string(i), {.dedup_id = std::to_string(i)});
      const std::lock_guard lock(mutex);
      ++how[answer.how];
    });
    CHECK(engine.wait({"all", "k"}).state.status == RunStatus::completed);
  }
  CHECK(how[Acceptance::started] == 1);
  CHECK(how[Acceptance::appended] == 199);
  const auto audit = audit_of(directory.path());
  CHECK(audit.runs == 1);
  CHECK(audit.ledger("all").consumed == 200);
}

TEST_CASE("P2, P4: events race with the ends of their runs on real threads; all is conserved, over a reopening") {
  const TemporaryDirectory directory;
  constexpr int senders = 8, events = 500;
  for (int opening = 0; opening < 2; ++opening) {
    Engine engine(open_lmdb(directory.path()), registry_of(registration), with_test_defaults());
    run_threads(senders, [&](int sender) {
      std::mt19937 random(static_cast<unsigned>(sender));
      for (int i = 0; i < events; ++i)
        engine.raise_event_with_start({"window", std::to_string(random() % 5)}, Text(), "e", Text("x"),
                                      {.dedup_id = std::to_string(sender) + "." + std::to_string(i)});
    });
    for (int key = 0; key < 5; ++key) engine.wait({"window", std::to_string(key)});
    const auto ledgers = engine.ledgers();
    REQUIRE(ledgers.size() == 1);
    CHECK(ledgers[0].balanced());
    CHECK(ledgers[0].accepted == senders * events);  // the second time, all are repetitions
    CHECK(ledgers[0].consumed == senders * events);
  }
  const auto audit = audit_of(directory.path());
  CHECK(audit.violations == std::vector<Text>{});
  CHECK(audit.ledger("window").consumed == senders * events);
}

TEST_CASE("S24: callbacks run in log order, on one thread") {
  const TemporaryDirectory directory;
  Engine engine(open_lmdb(directory.path()), registry_of(registration), with_test_defaults());
  std::vector<Position> order;
  std::set<std::thread::id> threads;
  std::latch all(400);
  run_threads(4, [&](int sender) {
    for (int i = 0; i < 100; ++i)
      engine.raise_event({"wait", std::to_string(sender)}, "e", Text(), {}, [&](const Result<Accepted>& result) {
        order.push_back(result.value.position);
        threads.insert(std::this_thread::get_id());
        all.count_down();
      });
  });
  all.wait();
  CHECK(std::is_sorted(order.begin(), order.end()));
  CHECK(threads.size() == 1);
}

TEST_CASE("S24: operators' calls in blocking form do what they say, and throw what refuses them") {
  const TemporaryDirectory directory;
  std::atomic<bool> broken = true;
  Engine engine(open_lmdb(directory.path()), registry_of([&broken](Registry& registry) {
                  registry.orchestrator("it", [](Context& ctx, const Text& input) {
                    ActivityOptions options;
                    options.dead_letter_on_failure = true;
                    return ctx.call_activity<Text>("do", input, options);
                  });
                  registry.activity("do", [&broken](const ActivityContext&, const Text& value) {
                    if (broken) throw ApplicationError("Broken", "it broke");
                    return value;
                  });
                }),
                with_test_defaults());
  for (const auto* key : {"a", "b"}) {
    engine.start({"it", key}, Text());
    CHECK(engine.wait({"it", key}).state.status == RunStatus::failed);
  }
  CHECK(engine.list({}).size() == 2);
  auto letters = engine.dead_letters({}, 10);
  REQUIRE(letters.size() == 2);
  CHECK_THROWS_AS(engine.purge({"it", "nobody"}), NotFound);
  CHECK_THROWS_AS(engine.discard({9'999, 0}), NotFound);
  CHECK(engine.discard(letters[0].position).how == Acceptance::done);
  broken = false;
  CHECK(engine.redrive(letters[1].position).how == Acceptance::done);
  while (engine.dead_letters({}, 10)[1].state != DeadLetterState::redriven) std::this_thread::yield();
  CHECK(engine.dead_letters({}, 10)[0].state == DeadLetterState::discarded);
  CHECK(engine.purge({"it", "a"}).how == Acceptance::done);
  CHECK_THROWS_AS(engine.status({"it", "a"}), NotFound);
}

TEST_CASE("S20: an activity may make blocking calls; it is on no lane of the engine") {
  const TemporaryDirectory directory;
  Engine* running = nullptr;
  Engine engine(open_lmdb(directory.path()), registry_of([&running](Registry& registry) {
                  registry.orchestrator("it", [](Context& ctx, const Text&) {
                    return ctx.call_activity<Text>("call", Text("from within"));
                  });
                  registry.activity("call", [&running](const ActivityContext& context, const Text& value) {
                    running->raise_event(context.instance, "e", value);
                    return to_string(running->status(context.instance).state.status) + Text(" ") + value;
                  });
                }),
                with_test_defaults());
  running = &engine;
  engine.start({"it", "k"}, Text());
  CHECK(decode<Text>(engine.wait({"it", "k"}).result) == "running from within");
}

TEST_CASE("S27: close tells running activities to stop, waits for them up to its limit, and they run again after it") {
  const TemporaryDirectory directory;
  std::promise<void> began, cancelled;
  std::atomic<int> attempts = 0;
  const auto code = [&](Registry& registry) {
    registry.orchestrator("it", [](Context& ctx, const Text&) { return ctx.call_activity<Text>("long", Text()); });
    registry.activity("long", [&](const ActivityContext& context, const Text&) {
      if (++attempts > 1) return "attempt " + std::to_string(context.attempt);
      began.set_value();
      while (!context.cancellation.cancelled()) std::this_thread::yield();
      cancelled.set_value();
      throw ApplicationError("Stopped", "told to");
    });
  };
  {
    Engine engine(open_lmdb(directory.path()), registry_of(code), with_test_defaults());
    engine.start({"it", "k"}, Text());
    began.get_future().wait();
    engine.close();
    CHECK(cancelled.get_future().wait_for(0s) == std::future_status::ready);
    CHECK_THROWS_AS(engine.start({"it", "k2"}, Text()), Closed);
    engine.close();
  }
  Engine engine(open_lmdb(directory.path()), registry_of(code), with_test_defaults());
  CHECK(decode<Text>(engine.wait({"it", "k"}).result) == "attempt 2");
}

TEST_CASE("S27: close does not wait beyond its limit; what an activity still does then is as after a crash") {
  const TemporaryDirectory directory;
  std::promise<void> began, released;
  const auto release = released.get_future().share();
  std::atomic<int> attempts = 0;
  const auto code = [&](Registry& registry) {
    registry.orchestrator("it", [](Context& ctx, const Text&) { return ctx.call_activity<Text>("deaf", Text()); });
    registry.activity("deaf", [&](const ActivityContext& context, const Text&) {
      if (++attempts == 1) {
        began.set_value();
        release.wait();  // whatever it is told
      }
      return "attempt " + std::to_string(context.attempt);
    });
  };
  {
    Engine engine(open_lmdb(directory.path()), registry_of(code), with_test_defaults());
    engine.start({"it", "k"}, Text());
    began.get_future().wait();
    engine.close(Duration::zero());
    released.set_value();
  }
  {
    Engine engine(open_lmdb(directory.path()), registry_of(code), with_test_defaults());
    CHECK(decode<Text>(engine.wait({"it", "k"}).result) == "attempt 2");
  }
  CHECK(audit_of(directory.path()).violations.empty());
}

TEST_CASE("S27: those who wait when the engine closes get Closed") {
  const TemporaryDirectory directory;
  Engine engine(open_lmdb(directory.path()), registry_of(registration), with_test_defaults());
  engine.start({"wait", "k"}, Text());
  std::promise<ErrorInfo> answered;
  engine.wait({"wait", "k"}, [&](const Result<InstanceStatus>& result) { answered.set_value(result.error); });
  engine.status({"wait", "k"});  // behind it in the inbox: so it has been taken
  engine.close();
  CHECK(answered.get_future().get().code == ErrorCode::closed);
}

TEST_CASE(
    "S25: activities that hang and clients that do not stop: all bounds hold, and all that was accepted is done") {
  const TemporaryDirectory directory;
  constexpr int senders = 4, refusals_each = 2'000, keys = 30;
  EngineOptions options;
  options.inbox_requests = 50;
  options.inbox_bytes = 20'000;
  options.batch_records = 20;
  options.activity_threads = 2;
  options.unread_events = 10;
  options.pending_activities = 20;
  std::promise<void> released;
  const auto release = released.get_future().share();
  Engine engine(open_lmdb(directory.path()), registry_of([&](Registry& registry) {
                  registry.orchestrator("deliver", [](Context& ctx, const Text&) {
                    while (ctx.wait_for_event<Text>("e").value != "last") ctx.call_activity<Text>("hang", Text());
                    return Text();
                  });
                  registry.activity("hang", [release](const ActivityContext&, const Text& value) {
                    release.wait();
                    return value;
                  });
                }),
                options);
  std::atomic<int> accepted = 0, refused = 0, flying = 0, flying_max = 0;
  std::atomic<std::uint64_t> waiting_max = 0;
  run_threads(senders, [&](int sender) {
    int left = refusals_each;
    for (int i = 0; left > 0; ++i) {
      const InstanceName name{"deliver", std::to_string(i % keys)};
      try {
        ++flying;
        engine.raise_event_with_start(name, Text(), "e", Text(100, 'x'),
                                      {.dedup_id = std::to_string(sender) + "." + std::to_string(i)},
                                      [&](const Result<Accepted>& result) {
                                        --flying;
                                        if (!result.error)
                                          ++accepted;
                                        else if (result.error.code == ErrorCode::overloaded)
                                          ++refused;
                                      });
      } catch (const Overloaded&) {
        --flying;
        --left;
        std::this_thread::yield();
      }
      flying_max = std::max<int>(flying_max, flying);
      waiting_max = std::max<std::uint64_t>(waiting_max, engine.stats().inbox_requests);
    }
  });
  // In the inbox, in three batches, as answers that wait and in those being given: never more than these have room for.
  constexpr int batch = 20 + 32;
  CHECK(waiting_max <= 50 + 2);
  CHECK(flying_max.load() <= 50 + 3 * batch + (50 + 3 * batch) + batch + senders);
  engine.ledgers();  // behind all of them
  CHECK(accepted > 0);
  CHECK(refused > 0);
  CHECK(accepted <= keys * (10 + 1) + 20);
  released.set_value();
  const auto persist = [&](const InstanceName& name) {
    for (;;) try {
        engine.raise_event_with_start(name, Text(), "e", Text("last"), {});
        return;
      } catch (const Overloaded&) {  // until there is room
        std::this_thread::yield();
      }
  };
  for (int key = 0; key < keys; ++key) {
    const InstanceName name{"deliver", std::to_string(key)};
    persist(name);
    CHECK(engine.wait(name).state.status == RunStatus::completed);
  }
  const auto ledgers = engine.ledgers();
  REQUIRE(ledgers.size() == 1);
  CHECK(ledgers[0].balanced());
  CHECK(ledgers[0].accepted == static_cast<std::uint64_t>(accepted + keys));
  CHECK(ledgers[0].consumed == ledgers[0].accepted);
}

TEST_CASE("S25: a wait that is not over in time throws TimedOut") {
  const TemporaryDirectory directory;
  Engine engine(open_lmdb(directory.path()), registry_of(registration), with_test_defaults());
  engine.start({"wait", "k"}, Text());
  CHECK_THROWS_AS(engine.wait({"wait", "k"}, 5ms), TimedOut);
  CHECK_THROWS_AS(engine.wait({"wait", "k"}, Duration::zero()), TimedOut);
}
