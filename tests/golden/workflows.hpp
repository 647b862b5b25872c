// What runs in the golden log of format 1. The log is replayed with this code for ever, so it is never changed, only
// added to.
#pragma once

#include "tests/golden/parcel.capnp.h"

#include <bobbin/capnp.hpp>
#include <bobbin/fields.hpp>
#include <bobbin/registry.hpp>

#include <optional>
#include <string>
#include <vector>

namespace bobbin::golden {

enum class Colour : std::uint8_t { red = 1, blue = 200 };

struct Place {
  std::string name;
  double latitude = 0;
};

// A member of each type that a plain struct may have.
struct Sms {
  std::string text;
  std::uint32_t part = 0;
  std::int64_t offset = 0;
  double weight = 0;
  bool urgent = false;
  LogTime sent{};
  Duration length{};
  Colour colour = Colour::red;
  std::optional<std::string> note;
  std::vector<std::string> tags;
  Place place;
  std::vector<Place> route;
};
struct Window {
  Duration length{};
  std::uint64_t messages_max = 0;
};
struct Batch {
  std::vector<Sms> messages;
};
struct Receipt {
  std::uint64_t number = 0;
  std::vector<std::int32_t> parts;
};

// `changed`: the orchestrator "versioned" does another activity than its history says, and is quarantined.
void register_workflows(Registry& registry, bool changed);

// Values with every member set.
Sms sms(const std::string& text);
Capnp<Parcel> parcel(std::uint64_t number);

}  // namespace bobbin::golden

template <>
struct bobbin::Fields<bobbin::golden::Place> {
  using Place = bobbin::golden::Place;
  static constexpr auto name = "golden.Place";
  static constexpr auto fields = std::tuple(field<1>("name", &Place::name), field<2>("latitude", &Place::latitude));
};

template <>
struct bobbin::Fields<bobbin::golden::Sms> {
  using Sms = bobbin::golden::Sms;
  static constexpr auto name = "golden.Sms";
  static constexpr auto fields =
      std::tuple(field<1>("text", &Sms::text), field<2>("part", &Sms::part), field<3>("offset", &Sms::offset),
                 field<4>("weight", &Sms::weight), field<5>("urgent", &Sms::urgent), field<6>("sent", &Sms::sent),
                 field<7>("length", &Sms::length), field<8>("colour", &Sms::colour), field<9>("note", &Sms::note),
                 field<10>("tags", &Sms::tags), field<1000>("place", &Sms::place), field<12>("route", &Sms::route));
};

template <>
struct bobbin::Fields<bobbin::golden::Window> {
  using Window = bobbin::golden::Window;
  static constexpr auto name = "golden.Window";
  static constexpr auto fields =
      std::tuple(field<1>("length", &Window::length), field<2>("messages_max", &Window::messages_max));
};

template <>
struct bobbin::Fields<bobbin::golden::Batch> {
  using Batch = bobbin::golden::Batch;
  static constexpr auto name = "golden.Batch";
  static constexpr auto fields = std::tuple(field<1>("messages", &Batch::messages));
};

template <>
struct bobbin::Fields<bobbin::golden::Receipt> {
  using Receipt = bobbin::golden::Receipt;
  static constexpr auto name = "golden.Receipt";
  static constexpr auto fields = std::tuple(field<1>("number", &Receipt::number), field<2>("parts", &Receipt::parts));
};
