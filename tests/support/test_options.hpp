// Options of engines under test. BOBBIN_RESIDENT_INSTANCES in the environment is the default of resident_instances, so
// that every suite can run once more with nearly all instances evicted.
#pragma once

#include <bobbin/options.hpp>

#include <cstdlib>
#include <string>

namespace bobbin::testing {

inline EngineOptions with_test_defaults(EngineOptions options = {}) {
  const char* resident = std::getenv("BOBBIN_RESIDENT_INSTANCES");
  if (resident && options.resident_instances == EngineOptions().resident_instances)
    options.resident_instances = std::stoul(resident);
  options.strict_replay = true;
  return options;
}

}  // namespace bobbin::testing
