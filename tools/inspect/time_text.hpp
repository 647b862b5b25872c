#pragma once

#include <bobbin/types.hpp>

#include <string>

namespace bobbin::inspect {

// "2026-11-24T01:02:03.456789Z".
std::string time_text(LogTime time);

}  // namespace bobbin::inspect
