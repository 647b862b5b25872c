#include "engine/runtime/core.hpp"

namespace bobbin {

namespace {

// Until a run of ids is stored, recovery folds what holds them: so few that two runs stay well within the bound.
DedupIndex::Limits dedup_limits(const EngineOptions& options) {
  return {options.dedup_horizon, options.dedup_memory_ids, options.tail_records_max / 8, options.tail_records_max / 4};
}

// Lines about damage that are not told again; with more of them they begin anew.
constexpr std::size_t damage_told_max = 1'000;

}  // namespace

Core::Core(Store& its_store, const Registry& its_registry, const EngineOptions& its_options, const Ports& its_ports)
    : store(its_store),
      registry(its_registry),
      options(its_options),
      ports(its_ports),
      info(store.info()),
      clock(*ports.clock),
      tail(info.fold_from - 1),
      overlay(store, info.state),
      dedup(store, tail, dedup_limits(options)),
      timers(store, [this](const ErrorInfo& damage) { say_damage("perhaps a timer does not fire", damage.message); }),
      purge(overlay, clock, options),
      batches(*ports.executor),
      log(store, overlay, dedup, purge, tail, clock, options, batches, info.last_lsn,
          [this](const ErrorInfo& damage) { say_damage("a row is written anew or removed", damage.message); }),
      room(*this) {
  overlay.load_ledgers();
}

void Core::say_damage(const std::string& consequence, const std::string& damage) {
  counters.damage_met.add();
  if (damage_told.size() >= damage_told_max) damage_told.clear();
  const auto line = consequence + ": " + damage;
  if (damage_told.insert(line).second) say(LogLevel::error, line);
}

}  // namespace bobbin
