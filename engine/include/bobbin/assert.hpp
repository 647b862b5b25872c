// Invariants that stay on in production: an engine that no longer knows its own state must not write to the log.
#pragma once

namespace bobbin {

// Prints what was broken and where to standard error, and aborts; the log is as after a crash.
[[noreturn]] void assertion_failed(const char* what, const char* file, int line);

inline void expect(bool holds, const char* what, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  if (!holds) [[unlikely]]
    assertion_failed(what, file, line);
}

}  // namespace bobbin
