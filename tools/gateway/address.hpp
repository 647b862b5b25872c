// Telephone numbers and other sender names: one spelling for one party.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bobbin::gateway {

// The canonical form of an address as SMPP gives it; over HTTP ton and npi are 0 (unknown).
// - International numbers, written "+49 171 ...", "0049171..." or with ton 1, become "+49171...".
// - National ones (ton 2, or a leading single 0) become "+<country_code>171..." if `country_code` is set, else stay.
// - Everything else stays as it is: short codes, alphanumeric names (ton 5), addresses of other numbering plans.
// Blanks and the separators - . / ( ) go from numbers.
std::string canonical_address(std::uint8_t ton, std::uint8_t npi, std::string_view address,
                              std::string_view country_code = {});

// For logs: the last three characters behind "***", or the stars alone if there are only three.
std::string masked(std::string_view address);

}  // namespace bobbin::gateway
