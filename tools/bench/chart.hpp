// A curve for the terminal.
#pragma once

#include <string>
#include <vector>

namespace bobbin::bench {

// One column a value, from zero to the largest; the title above, the scale at the left.
std::string chart(const std::string& title, const std::vector<double>& values);

}  // namespace bobbin::bench
