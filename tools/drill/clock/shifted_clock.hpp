// The wall clock of a process, shifted by a library that goes before its C library. Such a library is made of
// shifted_clock.cpp and of whatever says by how much.
#pragma once

#include <cstdint>

namespace bobbin::drill {

// Added to whatever says what time it is; the clocks that count since the machine's start are as they are.
std::int64_t wall_shift_us() noexcept;

}  // namespace bobbin::drill
