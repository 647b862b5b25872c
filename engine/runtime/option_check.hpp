#pragma once

#include <bobbin/options.hpp>

namespace bobbin {

// The options as they are. Throws InvalidArgument with the option and the reason if one is impossible.
EngineOptions checked(EngineOptions options);

}  // namespace bobbin
