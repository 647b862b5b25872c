// What a long run is watched by: a few figures over time, whether they have come to rest, and their plots. Pure but for
// the file.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace bobbin::drill {

struct Curve {
  std::string name;            // with its unit
  std::vector<double> values;  // taken at equal distances
};

// Whether the last quarter is no more than a tenth above the quarter before it, on average.
bool has_plateau(const Curve& curve);

// For a terminal.
std::string plot(const Curve& curve);
// An SVG file with the curves below each other, over `seconds`. Throws std::runtime_error if it cannot be written.
void write_svg(const std::filesystem::path& file, const std::vector<Curve>& curves, double seconds);

}  // namespace bobbin::drill
