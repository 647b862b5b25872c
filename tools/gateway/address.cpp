#include "tools/gateway/address.hpp"

#include "tools/smpp/constants.hpp"

#include <algorithm>

namespace bobbin::gateway {
namespace {

constexpr std::string_view separators = " -./()";
constexpr std::size_t visible = 3;

bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }

// The number without separators; empty if it is not a number.
std::string only_digits(std::string_view address) {
  std::string number;
  for (const char letter : address) {
    if (is_digit(letter) || (letter == '+' && number.empty())) {
      number.push_back(letter);
    } else if (separators.find(letter) == std::string_view::npos) {
      return {};
    }
  }
  return number == "+" ? std::string() : number;
}

// Without its international prefix; empty if it has none or nothing follows.
std::string_view without_prefix(std::string_view number) {
  if (number.starts_with('+')) return number.substr(1);
  return number.starts_with("00") ? number.substr(2) : std::string_view();
}

}  // namespace

std::string canonical_address(std::uint8_t ton, std::uint8_t npi, std::string_view address,
                              std::string_view country_code) {
  const bool other_plan = npi != smpp::npi::unknown && npi != smpp::npi::e164;
  const std::string number = only_digits(address);
  if (ton == smpp::ton::alphanumeric || other_plan || number.empty()) return std::string(address);
  if (const std::string_view rest = without_prefix(number); !rest.empty()) return "+" + std::string(rest);
  if (ton == smpp::ton::international) return "+" + number;
  const bool leading_zero = number.starts_with('0') && number.size() > 1;
  const bool national = ton == smpp::ton::national || (ton == smpp::ton::unknown && leading_zero);
  if (!national || country_code.empty()) return number;
  return "+" + std::string(country_code) + (leading_zero ? number.substr(1) : number);
}

std::string masked(std::string_view address) {
  const std::string_view tail =
      address.size() > visible ? address.substr(address.size() - visible) : std::string_view();
  return "***" + std::string(tail);
}

}  // namespace bobbin::gateway
