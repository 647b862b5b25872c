#include "tests/engine/purged.hpp"

#include <bobbin/verify.hpp>

#include <doctest/doctest.h>

#include <algorithm>

namespace bobbin::testing {

using namespace std::chrono_literals;

void register_purged(Registry& registry) {
  registry.orchestrator("pair", [](Context& ctx, const std::string&) {
    const auto a = ctx.wait_for_event<std::string>("e").value;
    return a + ctx.wait_for_event<std::string>("e").value;
  });
  registry.orchestrator("refuse", [](Context& ctx, const std::string& input) {
    return input == "refuse" ? std::string("took nothing") : ctx.wait_for_event<std::string>("e").value;
  });
  registry.orchestrator("call", [](Context& ctx, const std::string& input) {
    ActivityOptions options;
    options.dead_letter_on_failure = true;
    ctx.wait_for_event<std::string>("go");  // so that the decision stands in another record than the run's start
    return ctx.call_activity<std::string>("do", input, options);
  });
  registry.activity("do", [](const ActivityContext& context, const std::string&) { return context.idempotency_key; });
}

EngineOptions purging_options() {
  EngineOptions options;
  options.retention = 1h;
  options.checkpoint_age_records = 5;
  return options;
}

InstanceName pair_of(int number) { return {"pair", std::to_string(number)}; }

void move_on(World& world, int records) {
  static int number = 1'000'000;
  for (int i = 0; i < records; ++i) world.start(pair_of(number++), "");
}

void let_pass(World& world, Duration time) {
  for (const auto end = world.clock().boot_time() + time; world.clock().boot_time() < end;) {
    world.pass(std::min<Duration>(10min, end - world.clock().boot_time()));
    move_on(world, 40);
  }
}

std::size_t records_of(World& world, const InstanceName& name) {
  std::size_t count = 0;
  for (const auto& record : world.records()) count += record.instance == instance_id(name);
  return count;
}

bool has_row(World& world, const InstanceName& name) {
  world.settle();
  return world.disk().snapshot()->instance(instance_id(name)).has_value();
}

void check_sound(World& world) {
  world.settle();
  const auto snapshot = world.disk().snapshot();
  const auto report = verify(*snapshot);
  for (const auto& issue : report.issues) MESSAGE(issue.what);
  CHECK(report.ok());
  for (std::size_t i = 1; i < report.purged.size(); ++i) {  // else there would be more and more of them
    INFO("neighbouring stretches are one");
    CHECK(report.purged[i - 1].last + 1 < report.purged[i].first);
  }
  for (const auto& ledger : world.ledgers()) CHECK(ledger.balanced());
}

}  // namespace bobbin::testing
