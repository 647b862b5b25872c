// What tests of logs on disk share.
#pragma once

#include "tests/storage/backends.hpp"
#include "tests/storage/generate.hpp"

#include <bobbin/error.hpp>

#include <string>
#include <string_view>

namespace bobbin::test {

// A closed log of ten records.
inline std::filesystem::path log_of_ten(const TempDirectory& directory) {
  const auto log = directory.path() / "log";
  open_lmdb(log)->commit(plain_turns(1, 10));
  return log;
}

// The error that opening gives, as "code: message"; empty when it opens.
inline std::string open_error(const std::filesystem::path& log, const LmdbOptions& options = {}) {
  try {
    open_lmdb(log, options);
    return {};
  } catch (const Error& error) {
    return std::string(to_string(error.code())) + ": " + error.what();
  }
}

inline bool says(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace bobbin::test
