// Plain structs as payloads: what may change between the version that wrote one and the version that reads it.
#include <bobbin/error.hpp>
#include <bobbin/fields.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

namespace {

struct Place {
  std::string street;
  std::uint32_t number = 0;
};

struct Newer {
  std::string name;
  double weight = 0;                  // a fixed field
  std::int64_t count = 0;             // a varying one
  std::vector<Place> places;          // nested, and repeated
  std::optional<std::string> remark;  //
  std::string last;
};

struct Older {
  std::string name;
  std::string last;
};

struct OtherType {
  std::int64_t name = 0;
};

}  // namespace

template <>
struct bobbin::Fields<Place> {
  static constexpr auto name = "test.Place";
  static constexpr auto fields = std::tuple(field<1>("street", &Place::street), field<2>("number", &Place::number));
};
template <>
struct bobbin::Fields<Newer> {
  static constexpr auto name = "test.Parcel";
  static constexpr auto fields = std::tuple(field<1>("name", &Newer::name), field<3>("weight", &Newer::weight),
                                            field<4>("count", &Newer::count), field<5>("places", &Newer::places),
                                            field<6>("remark", &Newer::remark), field<9>("last", &Newer::last));
};
template <>
struct bobbin::Fields<Older> {
  static constexpr auto name = "test.Parcel";
  static constexpr auto fields = std::tuple(field<1>("name", &Older::name), field<9>("last", &Older::last));
};
template <>
struct bobbin::Fields<OtherType> {
  static constexpr auto name = "test.Parcel";
  static constexpr auto fields = std::tuple(field<1>("name", &OtherType::name));
};

using namespace bobbin;

namespace {

const Newer parcel{"box", 1.5, -70'000, {{"Hill", 3}, {"Lake", 0}}, "fragile", "end"};

}  // namespace

TEST_CASE("Plain structs: a version that lacks fields skips them, of whatever type they are") {
  const auto read = Codec<Older>::decode(Codec<Newer>::encode(parcel));
  CHECK(read.name == "box");
  CHECK(read.last == "end");
}

TEST_CASE("Plain structs: fields that were not written have what the struct says") {
  const auto read = Codec<Newer>::decode(Codec<Older>::encode({"box", "end"}));
  CHECK(read.name == "box");
  CHECK(read.weight == 0);
  CHECK(read.places.empty());
  CHECK(!read.remark);
  CHECK(read.last == "end");
}

TEST_CASE("Plain structs: what was written comes back") {
  const auto read = Codec<Newer>::decode(Codec<Newer>::encode(parcel));
  CHECK(read.weight == 1.5);
  CHECK(read.count == -70'000);
  REQUIRE(read.places.size() == 2);
  CHECK(read.places[0].street == "Hill");
  CHECK(read.places[1].number == 0);
  CHECK(read.remark == "fragile");
}

TEST_CASE(
    "Plain structs: a field of another type, and a payload cut anywhere, are refused or read, never beyond the end") {
  CHECK_THROWS_AS(Codec<OtherType>::decode(Codec<Newer>::encode(parcel)), InvalidArgument);
  const auto whole = Codec<Newer>::encode(parcel);
  std::size_t refused = 0;
  for (std::size_t size = 0; size < whole.bytes.size(); ++size) {
    auto cut = whole;
    cut.bytes.resize(size);
    cut.bytes.shrink_to_fit();
    try {
      const auto read = Codec<Older>::decode(cut);
      CHECK(read.last.empty());  // it stands at the end
    } catch (const InvalidArgument&) {
      ++refused;
    }
  }
  CHECK(refused > whole.bytes.size() / 2);
}
