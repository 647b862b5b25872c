#include "tools/inspect/commands.hpp"
#include "tools/inspect/folded_log.hpp"
#include "tools/inspect/record_json.hpp"
#include "tools/inspect/time_text.hpp"

#include <cstdio>

namespace bobbin::inspect {

namespace {

constexpr std::size_t page = 1'000;

const char* status_text(const InstanceState& state) {
  return state.quarantined ? "quarantined" : to_string(state.status);
}

void print(const InstanceState& state, bool json) {
  if (json) {
    std::printf("%s\n", json_text(state_json(state)).c_str());
    return;
  }
  std::printf("%s  %-11s  run %-10llu  %6zu unread  %s  %s %s\n", to_hex(state.id).c_str(), status_text(state),
              static_cast<unsigned long long>(state.run), state.unread.size(), time_text(state.started_at).c_str(),
              state.name.orchestrator.c_str(), json_text(key_json(state.name.key)).c_str());
}

}  // namespace

int ls(LogReader& log, const LsOptions& options) {
  std::optional<InstanceId> after;
  std::size_t printed = 0;
  for (;;) {
    std::vector<InstanceState> states;
    {
      const auto snapshot = log.snapshot();  // one a page: output may be slow
      states = FoldedLog(*snapshot).list(after, page);
    }
    for (const auto& state : states) {
      if (!options.status.empty() && options.status != status_text(state)) continue;
      if (options.limit != 0 && printed++ == options.limit) return 0;
      print(state, options.json);
    }
    if (states.size() < page) return 0;
    after = states.back().id;
  }
}

}  // namespace bobbin::inspect
