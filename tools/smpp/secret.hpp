#pragma once

#include <string_view>

namespace bobbin::smpp {

// Compares two secrets in a time that depends on their lengths only, not on where they differ.
bool same_secret(std::string_view left, std::string_view right);

}  // namespace bobbin::smpp
