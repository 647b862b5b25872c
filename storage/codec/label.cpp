#include "storage/codec/label.hpp"

#include <bobbin/error.hpp>

namespace bobbin::storage {

namespace {
struct Shown {
  std::string operator()(std::monostate) const { return {}; }
  std::string operator()(std::uint64_t number) const { return " " + std::to_string(number); }
  std::string operator()(const Id128& id) const { return " " + to_hex(id); }
  std::string operator()(Position position) const { return " " + to_string(position); }
  std::string operator()(std::string_view text) const { return " '" + std::string(text) + "'"; }
};
}  // namespace

std::string Label::text() const { return kind_ + std::visit(Shown{}, which_); }

void throw_damaged(const Label& what, std::string_view why) {
  throw Corrupt(what.text() + " is damaged: " + std::string(why) + "; restore a backup");
}

}  // namespace bobbin::storage
