// What a value is called in messages; costs nothing until there is something to say.
#pragma once

#include <bobbin/types.hpp>

#include <string>
#include <string_view>
#include <variant>

namespace bobbin::storage {

// Refers to `kind` and to text that it was given: for the time of a call.
class Label {
 public:
  constexpr Label(const char* kind) : kind_(kind) {}  // NOLINT: a plain name is a label
  Label(const char* kind, std::uint64_t number) : kind_(kind), which_(number) {}
  Label(const char* kind, const Id128& id) : kind_(kind), which_(id) {}
  Label(const char* kind, Position position) : kind_(kind), which_(position) {}
  Label(const char* kind, std::string_view text) : kind_(kind), which_(text) {}

  std::string text() const;  // "record 17"

 private:
  const char* kind_;
  std::variant<std::monostate, std::uint64_t, Id128, Position, std::string_view> which_;
};

[[noreturn]] void throw_damaged(const Label& what, std::string_view why);

}  // namespace bobbin::storage
