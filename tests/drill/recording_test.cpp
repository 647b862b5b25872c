// What the power drill reads of a recording whose process was killed.
#include "tests/support/temporary_directory.hpp"
#include "tools/drill/power/operations.hpp"

#include <doctest/doctest.h>

#include <fstream>

namespace bobbin::drill {

TEST_CASE("an entry that the kill cut short is dropped, and what comes behind it is read") {
  const bobbin::testing::TemporaryDirectory directory;
  const auto recording = directory.path() / "recording";
  OperationHead added;
  added.op = Op::file_added;
  added.path_bytes = 1;
  const auto append_entry = [&](std::size_t bytes) {
    std::string entry(reinterpret_cast<const char*>(&added), sizeof added);
    entry += "f";
    std::ofstream(recording, std::ios::binary | std::ios::app) << entry.substr(0, bytes);
  };
  append_entry(sizeof added + 1);
  append_entry(sizeof added - 8);
  CHECK(settle_after_kill(recording) == 0);
  append_entry(sizeof added + 1);
  CHECK(Operations(recording).all().size() == 2);
}

}  // namespace bobbin::drill
