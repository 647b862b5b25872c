// The machine's own clock, which nobody sets (S4).
#pragma once

#include "engine/runtime/log_clock.hpp"

namespace bobbin {

// CLOCK_BOOTTIME.
inline Duration boot_time() { return system_clock()->boot_time(); }

}  // namespace bobbin
