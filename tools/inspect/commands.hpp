// The inspection tool's commands. They read one snapshot, let go of it, and print; nothing is ever written.
#pragma once

#include <bobbin/inspection.hpp>

#include <optional>
#include <string>

namespace bobbin::inspect {

struct LsOptions {
  bool json = false;
  std::string status;     // only these; empty: all
  std::size_t limit = 0;  // 0: no limit
};
struct ShowOptions {
  bool json = false;
  std::string instance;      // 32 hex digits, or ORCHESTRATOR/KEY
  std::optional<RunId> run;  // default: the live or last one
};

// Each returns the exit status: 0, or 1 when what was asked for is not there or not in order.
int ls(LogReader& log, const LsOptions& options);
int show(LogReader& log, const ShowOptions& options);
int stats(LogReader& log, bool json);
// Checks the log, and that its rows are what a fold of its records gives. Looks at one snapshot as long as it takes.
int verify_log(LogReader& log, bool json);

}  // namespace bobbin::inspect
