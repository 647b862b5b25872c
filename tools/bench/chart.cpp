#include "tools/bench/chart.hpp"

#include <algorithm>
#include <cstdio>

namespace bobbin::bench {

namespace {

constexpr int rows = 12;
constexpr const char* eighths[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

}  // namespace

std::string chart(const std::string& title, const std::vector<double>& values) {
  if (values.empty()) return title + "\n";
  const auto largest = std::max(*std::max_element(values.begin(), values.end()), 1e-9);
  std::string text = title + "\n";
  for (int row = rows - 1; row >= 0; --row) {
    char scale[32];
    std::snprintf(scale, sizeof scale, "%10.1f │", largest * (row + 1) / rows);
    text += scale;
    for (const auto value : values) {
      const auto filled = static_cast<int>(8 * (rows * value / largest - row) + 0.5);
      text += eighths[std::clamp(filled, 0, 8)];
    }
    text += "\n";
  }
  return text + "       0.0 └" + [&] {
    std::string line;
    for (std::size_t i = 0; i < values.size(); ++i) line += "─";
    return line;
  }() + "\n";
}

}  // namespace bobbin::bench
