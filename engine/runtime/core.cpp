#include "engine/runtime/core.hpp"

namespace bobbin {

Core::Core(Store& its_store, const Registry& its_registry, const EngineOptions& its_options, const Ports& its_ports)
    : store(its_store),
      registry(its_registry),
      options(its_options),
      ports(its_ports),
      info(store.info()),
      clock(*ports.clock),
      overlay(store, info.state),
      dedup(store, {options.dedup_horizon, options.dedup_memory_ids}),
      timers(store),
      purge(overlay, clock, options),
      log(store, overlay, dedup, purge, clock, options, info.last_lsn) {
  overlay.load_ledgers();
}

}  // namespace bobbin
