// What tests of damage have in common.
#pragma once

#include "tests/support/world.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace bobbin::testing {

inline void damage_registration(Registry& registry) {
  using Text = std::string;
  registry.orchestrator("collect", [](Context& ctx, const Text&) {
    Text all;
    while (all.size() < 3) all += ctx.wait_for_event<Text>("e").value;
    return all;
  });
  registry.orchestrator("until_go", [](Context& ctx, const Text&) { return ctx.wait_for_event<Text>("go").value; });
  registry.orchestrator("ignore", [](Context&, const Text& input) { return input; });
  registry.orchestrator("call", [](Context& ctx, const Text& input) { return ctx.call_activity<Text>("do", input); });
  registry.orchestrator("call_or_dead", [](Context& ctx, const Text& input) {
    ActivityOptions options;
    options.dead_letter_on_failure = true;
    return ctx.call_activity<Text>("do", input, options);
  });
  registry.orchestrator("in_an_hour", [](Context& ctx, const Text& input) {
    ctx.create_timer(std::chrono::hours(1)).wait();
    return input;
  });
  registry.activity("do", [](const ActivityContext&, const Text& value) { return "did " + value; });
}

// The engine's lines for the operator.
class Lines {
 public:
  EngineOptions options() {
    EngineOptions options;
    options.checkpoint_age_records = 16;
    options.retention = std::chrono::hours(1);
    options.log = [this](LogLevel level, const std::string& line) {
      if (level == LogLevel::error) errors_.push_back(line);
    };
    return options;
  }
  bool tell(const std::string& one, const std::string& other) const { return count(one, other) != 0; }
  std::size_t count(const std::string& one, const std::string& other) const {
    return static_cast<std::size_t>(std::count_if(errors_.begin(), errors_.end(), [&](const std::string& line) {
      return line.find(one) != std::string::npos && line.find(other) != std::string::npos;
    }));
  }

 private:
  std::vector<std::string> errors_;
};

// So many records that an open looks at none from before them.
inline void move_on(World& world) {
  static int number = 0;
  for (int i = 0; i < 200; ++i) world.start({"collect", "other " + std::to_string(number++)}, "");
}

// Twice as long as history is kept, with as many records as it takes to purge what is old.
inline void outlive_retention(World& world) {
  for (int i = 0; i < 12; ++i) {
    world.pass(std::chrono::minutes(10));
    move_on(world);
  }
}

inline void check_goes_on(World& world) {
  static int number = 0;
  const InstanceName sound{"collect", "sound " + std::to_string(number++)};
  CHECK(!world.event_with_start(sound, "", "e", "x").error);
  CHECK(!world.event(sound, "e", "y").error);
  CHECK(!world.event(sound, "e", "z").error);
  CHECK(world.result(sound) == "xyz");
  CHECK(!world.engine().stats().failed);
}

}  // namespace bobbin::testing
