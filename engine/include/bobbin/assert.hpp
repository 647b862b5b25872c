// Invariants that stay on in production: an engine that no longer knows its own state must not write to the log.
#pragma once

#include <source_location>

namespace bobbin {

// Prints what was broken and where to standard error, and aborts; the log is as after a crash.
[[noreturn]] void assertion_failed(const char* what, std::source_location where);

inline void expect(bool holds, const char* what, std::source_location where = std::source_location::current()) {
  if (!holds) [[unlikely]]
    assertion_failed(what, where);
}

}  // namespace bobbin
