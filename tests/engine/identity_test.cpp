// Ids and limits of what a caller names (S6).
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

using namespace bobbin;
using namespace bobbin::testing;

namespace {

void registration(Registry& registry) {
  registry.orchestrator(
      "idle", [](Context& ctx, const std::string&) { return ctx.wait_for_event<std::string>("never").value; });
}

}  // namespace

TEST_CASE("S6: an instance id is BLAKE2b-128 over the sized name and the sized key") {
  // Worked out by another implementation (Python's hashlib.blake2b).
  CHECK(to_hex(instance_id({"collect", "alice"})) == "7c285c617368b7522c096716e8f8dfd9");
  CHECK(to_hex(instance_id({"a", "bc"})) == "e88560e56e6241afeb2dfa841791b26b");
  CHECK(to_hex(instance_id({"ab", "c"})) == "efe72f542fb49a825544241cc54c1ddc");
  CHECK(to_hex(instance_id({"x", std::string("\0\xff", 2)})) == "0599a0fd8054bc4111caa6e1cc18ee41");
  CHECK(to_hex(instance_id({std::string(128, 'n'), std::string(1024, 'k')})) == "0a2e0cb28700ffd27066bdc87156fde7");
  CHECK(to_hex(instance_id({"gr\u00fc\u00dfe", "\u263a"})) == "2eb5f6f315b814a27adcebc23b73444c");
}

TEST_CASE("S6: a name of 0 or 129 bytes and a key of 0 or 1,025 bytes are refused") {
  CHECK_THROWS_AS(instance_id({"", "k"}), InvalidArgument);
  CHECK_THROWS_AS(instance_id({std::string(129, 'n'), "k"}), InvalidArgument);
  CHECK_THROWS_AS(instance_id({"n", ""}), InvalidArgument);
  CHECK_THROWS_AS(instance_id({"n", std::string(1025, 'k')}), InvalidArgument);
}

TEST_CASE("S6: an id in hexadecimal reads back, and nothing else does") {
  const auto id = instance_id({"collect", "alice"});
  CHECK(id_from_hex(to_hex(id)) == id);
  for (const auto* wrong : {"", "7c", "7c285c617368b7522c096716e8f8dfdg", "7c285c617368b7522c096716e8f8dfd900"})
    CHECK_THROWS_AS(id_from_hex(wrong), InvalidArgument);
}

TEST_CASE("S6, S13: calls outside the limits are refused at once and change nothing") {
  EngineOptions options;
  options.payload_bytes = 100;
  World world(registration, options);
  const InstanceName name{"idle", "k"};
  const auto never = [](const Result<Accepted>&) { FAIL("the callback of a refused call ran"); };
  auto& engine = world.engine();
  const std::string small = "x";
  const std::string large(101, 'x');
  CHECK_THROWS_AS(engine.start({"idle", ""}, small, {}, never), InvalidArgument);
  CHECK_THROWS_AS(engine.start(name, large, {}, never), InvalidArgument);
  CHECK_THROWS_AS(engine.start(name, small, {.dedup_id = std::string(129, 'd')}, never), InvalidArgument);
  CHECK_THROWS_AS(engine.raise_event(name, "", small, {}, never), InvalidArgument);
  CHECK_THROWS_AS(engine.raise_event(name, std::string(129, 'e'), small, {}, never), InvalidArgument);
  CHECK_THROWS_AS(engine.raise_event(name, "e", large, {}, never), InvalidArgument);
  CHECK_THROWS_AS(engine.raise_event_with_start(name, large, "e", small, {}, never), InvalidArgument);
  CHECK_THROWS_AS(engine.terminate(name, "", {.dedup_id = std::string(129, 'd')}, never), InvalidArgument);
  world.settle();
  CHECK(world.records().size() == 1);  // that it was opened
  CHECK_THROWS_AS(world.status(name), NotFound);

  CHECK(world.start(name, std::string(100, 'x'), {.dedup_id = std::string(128, 'd')}).value.how == Acceptance::started);
  CHECK(world.event(name, std::string(128, 'e'), std::string(100, 'x')).value.how == Acceptance::appended);
}

TEST_CASE("S6: a registry refuses a name twice, and names of 0 or 129 bytes") {
  Registry registry;
  const auto code = [](Context&, const std::string&) {};
  const auto activity = [](const ActivityContext&, const std::string&) {};
  registry.orchestrator(std::string(128, 'o'), code);
  CHECK_THROWS_AS(registry.orchestrator(std::string(128, 'o'), code), InvalidArgument);
  CHECK_THROWS_AS(registry.orchestrator(std::string(129, 'o'), code), InvalidArgument);
  CHECK_THROWS_AS(registry.orchestrator("", code), InvalidArgument);
  registry.activity("a", activity);
  CHECK_THROWS_AS(registry.activity("a", activity), InvalidArgument);
}

TEST_CASE("Impossible options are refused at the opening, each with its name and what it may be") {
  using Change = std::function<void(EngineOptions&)>;
  const std::vector<std::pair<std::string, Change>> impossible = {
      {"inbox_requests", [](EngineOptions& o) { o.inbox_requests = 0; }},
      {"inbox_bytes", [](EngineOptions& o) { o.inbox_bytes = 0; }},
      {"batch_records", [](EngineOptions& o) { o.batch_records = 0; }},
      {"batch_records", [](EngineOptions& o) { o.batch_records = std::size_t{1} << 40; }},
      {"batch_bytes", [](EngineOptions& o) { o.batch_bytes = 0; }},
      {"activity_threads", [](EngineOptions& o) { o.activity_threads = 0; }},
      {"activity_threads", [](EngineOptions& o) { o.activity_threads = 1'000'000; }},
      {"resident_instances", [](EngineOptions& o) { o.resident_instances = 0; }},
      {"resident_instances", [](EngineOptions& o) { o.resident_instances = 16'001; }},
      {"fiber_stack_bytes", [](EngineOptions& o) { o.fiber_stack_bytes = 1'000; }},
      {"fiber_stack_bytes", [](EngineOptions& o) { o.fiber_stack_bytes = std::size_t{1} << 40; }},
      {"unread_events", [](EngineOptions& o) { o.unread_events = 0; }},
      {"pending_activities", [](EngineOptions& o) { o.pending_activities = 0; }},
      {"payload_bytes", [](EngineOptions& o) { o.payload_bytes = 0; }},
      {"payload_bytes", [](EngineOptions& o) { o.payload_bytes = std::size_t{1} << 40; }},
      {"dedup_horizon", [](EngineOptions& o) { o.dedup_horizon = Duration::zero(); }},
      {"dedup_horizon", [](EngineOptions& o) { o.dedup_horizon = Duration::max(); }},
      {"dedup_memory_ids", [](EngineOptions& o) { o.dedup_memory_ids = 0; }},
      {"mailbox_time_to_live", [](EngineOptions& o) { o.mailbox_time_to_live = Duration(-1); }},
      {"mailbox_time_to_live", [](EngineOptions& o) { o.mailbox_time_to_live = Duration::max(); }},
      {"mailbox_events", [](EngineOptions& o) { o.mailbox_events = 0; }},
      {"carries_before_dead", [](EngineOptions& o) { o.carries_before_dead = 0; }},
      {"failure_backoff_first", [](EngineOptions& o) { o.failure_backoff_first = Duration::zero(); }},
      {"failure_backoff_cap", [](EngineOptions& o) { o.failure_backoff_cap = Duration::max(); }},
      {"failure_backoff_cap", [](EngineOptions& o) { o.failure_backoff_cap = o.failure_backoff_first - Duration(1); }},
      {"retention", [](EngineOptions& o) { o.retention = Duration::zero(); }},
      {"retention", [](EngineOptions& o) { o.retention = Duration::max(); }},
      {"checkpoint_age_records", [](EngineOptions& o) { o.checkpoint_age_records = 0; }},
      {"tail_records_max", [](EngineOptions& o) { o.tail_records_max = 1; }},
  };
  for (const auto& [name, change] : impossible) {
    CAPTURE(name);
    EngineOptions options;
    change(options);
    try {
      World world(registration, options);
      FAIL("it opened");
    } catch (const InvalidArgument& error) {
      CHECK(std::string(error.what()).find("engine option " + name + " is") != std::string::npos);
    }
  }
}
