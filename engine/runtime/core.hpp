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

  void say(LogLevel level, const std::string& line) const {
    if (options.log) options.log(level, line);
  }
  // Of a call that is refused with `error`: a damaged record is also the operator's affair.
  void say_if_damaged(const Error& error) const {
    if (error.code() == ErrorCode::corrupt)
      say(LogLevel::error, std::string("a call is refused, the log is damaged: ") + error.what());
  }
};

}  // namespace bobbin
