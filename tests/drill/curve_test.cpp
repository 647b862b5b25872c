// Whether a curve has come to rest.
#include "tools/drill/soak/curve.hpp"

#include "tests/support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <iterator>

namespace bobbin::drill {

namespace {

template <class At>
Curve curve(const At& at) {
  Curve drawn{"of a test", {}};
  for (int i = 0; i < 400; ++i) drawn.values.push_back(at(i));
  return drawn;
}

}  // namespace

TEST_CASE("a curve that fills up and stays is a plateau, one that goes on growing is none") {
  CHECK(has_plateau(curve([](int i) { return std::min(i, 120) + i % 7; })));
  CHECK(has_plateau(curve([](int) { return 5; })));
  CHECK_FALSE(has_plateau(curve([](int i) { return i; })));
  CHECK_FALSE(has_plateau(curve([](int i) { return 100 + i; })));
  CHECK_FALSE(has_plateau(Curve{}));
}

TEST_CASE("a curve is drawn for a terminal and into a file") {
  const auto drawn = curve([](int i) { return i; });
  CHECK(plot(drawn).starts_with("of a test\n"));
  CHECK(plot(drawn).find("█") != std::string::npos);
  const bobbin::testing::TemporaryDirectory directory;
  write_svg(directory.path() / "curve.svg", {drawn, drawn}, 10);
  std::ifstream in(directory.path() / "curve.svg");
  const std::string text(std::istreambuf_iterator<char>(in), {});
  CHECK(text.starts_with("<svg "));
  CHECK(text.ends_with("</svg>\n"));
  CHECK(text.find("<polyline points=\"40,180 ") != std::string::npos);
}

}  // namespace bobbin::drill
