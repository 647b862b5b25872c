// Signatures over delivered bodies, and bearer tokens.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bobbin::gateway {

// HMAC-SHA256 of the body in 64 lower-case hex digits; a key of any length.
std::string sign(std::string_view key, std::string_view body);

// Whether `signature` is the one that sign() gives, compared in constant time.
bool verify_signature(std::string_view key, std::string_view body, std::string_view signature);

// Which of the tokens an Authorization header ("Bearer <token>") carries. Every token is compared, each in constant
// time.
std::optional<std::size_t> find_bearer(std::string_view authorization, const std::vector<std::string>& tokens);

}  // namespace bobbin::gateway
