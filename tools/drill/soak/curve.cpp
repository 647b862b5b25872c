#include "tools/drill/soak/curve.hpp"

#include "tools/bench/chart.hpp"

#include <algorithm>
#include <fstream>
#include <numeric>
#include <sstream>
#include <stdexcept>

namespace bobbin::drill {

namespace {

constexpr double growth_max = 1.1;
constexpr std::size_t columns_max = 72;
constexpr int width = 800;
constexpr int height = 220;
constexpr int margin = 40;

double mean(const std::vector<double>& values, std::size_t begin, std::size_t end) {
  const auto at = [&](std::size_t index) { return values.begin() + static_cast<std::ptrdiff_t>(index); };
  return std::accumulate(at(begin), at(end), 0.0) / static_cast<double>(end - begin);
}

std::string panel(const Curve& curve, int top) {
  const auto& values = curve.values;
  const auto largest = values.empty() ? 0.0 : *std::max_element(values.begin(), values.end());
  std::ostringstream points;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto along = static_cast<double>(i) / static_cast<double>(std::max<std::size_t>(values.size() - 1, 1));
    const auto up = largest == 0 ? 0.0 : values[i] / largest;
    points << margin + along * (width - 2 * margin) << ',' << top + height - margin - up * (height - 2 * margin) << ' ';
  }
  std::ostringstream text;
  text << "<text x=\"" << margin << "\" y=\"" << top + margin - 12 << "\">" << curve.name << ", at most " << largest
       << "</text>\n<path d=\"M" << margin << ' ' << top + margin << "V" << top + height - margin << "H"
       << width - margin << "\" stroke=\"gray\" fill=\"none\"/>\n<polyline points=\"" << points.str()
       << "\" stroke=\"steelblue\" stroke-width=\"2\" fill=\"none\"/>\n";
  return text.str();
}

}  // namespace

bool has_plateau(const Curve& curve) {
  const auto& values = curve.values;
  const auto quarter = values.size() / 4;
  if (quarter == 0) return false;
  const auto last = mean(values, values.size() - quarter, values.size());
  return last <= growth_max * mean(values, values.size() - 2 * quarter, values.size() - quarter);
}

std::string plot(const Curve& curve) {
  const auto& values = curve.values;
  const auto columns = std::min(columns_max, values.size());
  std::vector<double> shown;
  for (std::size_t i = 0; i < columns; ++i)
    shown.push_back(mean(values, i * values.size() / columns, (i + 1) * values.size() / columns));
  return bench::chart(curve.name, shown);
}

void write_svg(const std::filesystem::path& file, const std::vector<Curve>& curves, double seconds) {
  std::ofstream out(file);
  out << "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" << width << "\" height=\""
      << height * static_cast<int>(curves.size()) << "\" font-family=\"sans-serif\" font-size=\"13\">\n";
  for (std::size_t i = 0; i < curves.size(); ++i) {
    const auto top = height * static_cast<int>(i);
    out << panel(curves[i], top) << "<text x=\"" << width - margin << "\" y=\"" << top + height - margin + 18
        << "\" text-anchor=\"end\">" << seconds << " s</text>\n";
  }
  out << "</svg>\n";
  if (!out.flush()) throw std::runtime_error("cannot write " + file.string());
}

}  // namespace bobbin::drill
