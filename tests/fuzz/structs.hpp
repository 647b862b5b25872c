// Plain structs that have every kind of field.
#pragma once

#include <bobbin/fields.hpp>

#include <optional>
#include <string>
#include <vector>

namespace bobbin::fuzz {

enum class Colour : std::uint8_t { red, green };

struct Leaf {
  std::string text;
  std::int32_t number = 0;
};

struct Tree {
  bool flag = false;
  std::uint64_t count = 0;
  std::int64_t offset = 0;
  double share = 0;
  LogTime at;
  Duration length{};
  Colour colour = Colour::red;
  std::optional<std::string> note;
  std::vector<std::uint32_t> numbers;
  std::vector<Leaf> leaves;
  std::optional<Leaf> best;
};

}  // namespace bobbin::fuzz

template <>
struct bobbin::Fields<bobbin::fuzz::Leaf> {
  static constexpr auto name = "fuzz.Leaf";
  static constexpr auto fields =
      std::tuple(field<1>("text", &bobbin::fuzz::Leaf::text), field<2>("number", &bobbin::fuzz::Leaf::number));
};

template <>
struct bobbin::Fields<bobbin::fuzz::Tree> {
  using Tree = bobbin::fuzz::Tree;
  static constexpr auto name = "fuzz.Tree";
  static constexpr auto fields =
      std::tuple(field<1>("flag", &Tree::flag), field<2>("count", &Tree::count), field<3>("offset", &Tree::offset),
                 field<4>("share", &Tree::share), field<5>("at", &Tree::at), field<6>("length", &Tree::length),
                 field<7>("colour", &Tree::colour), field<8>("note", &Tree::note), field<9>("numbers", &Tree::numbers),
                 field<10>("leaves", &Tree::leaves), field<400>("best", &Tree::best));
};
