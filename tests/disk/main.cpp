// The tests' own main: run with --host it is the process that a test kills.
#define DOCTEST_CONFIG_IMPLEMENT
#include "tests/disk/killed_host.hpp"

#include <doctest/doctest.h>

int main(int argc, char** argv) {
  if (const auto status = bobbin::tests::run_as_host(argc, argv)) return *status;
  return doctest::Context(argc, argv).run();
}
