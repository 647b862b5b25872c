// What the parts of the orchestrator lane share.
#pragma once

#include "engine/runtime/batch_pool.hpp"
#include "engine/runtime/counters.hpp"
#include "engine/runtime/dedup_index.hpp"
#include "engine/runtime/log_builder.hpp"
#include "engine/runtime/log_clock.hpp"
#include "engine/runtime/overlay.hpp"
#include "engine/runtime/purge.hpp"
#include "engine/runtime/room.hpp"
#include "engine/runtime/tail.hpp"
#include "engine/runtime/timer_queue.hpp"

#include <bobbin/options.hpp>
#include <bobbin/ports.hpp>
#include <bobbin/registry.hpp>
#include <bobbin/store.hpp>

#include <set>
#include <string>

namespace bobbin {

struct Core {
  Core(Store& its_store, const Registry& its_registry, const EngineOptions& its_options, const Ports& its_ports);

  Store& store;
  const Registry& registry;
  const EngineOptions& options;
  const Ports& ports;
  const LogInfo info;

  LogClock clock;
  Tail tail;
  Overlay overlay;
  DedupIndex dedup;
  TimerQueue timers;
  Purge purge;
  BatchPool batches;
  LogBuilder log;
  Room room;
  Counters counters;
  std::vector<Completion> refusals;  // to go out at once, whether or not anything is being written
  std::vector<InstanceId> ended;     // instances whose run has ended since somebody looked
  std::set<std::string> damage_told;

  void say(LogLevel level, const std::string& line) const {
    if (options.log) options.log(level, line);
  }
  // A damaged record or row was met, and `consequence` is what comes of it: the operator's affair. Counted each time,
  // and told once.
  void say_damage(const std::string& consequence, const std::string& damage);
};

}  // namespace bobbin
