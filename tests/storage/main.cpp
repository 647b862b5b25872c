// The tests' own main: run with --open or --hold it is the other process of a test.
#define DOCTEST_CONFIG_IMPLEMENT
#include "tests/storage/other_process.hpp"

#include <doctest/doctest.h>

int main(int argc, char** argv) {
  if (const auto status = bobbin::test::run_as_other_process(argc, argv)) return *status;
  return doctest::Context(argc, argv).run();
}
