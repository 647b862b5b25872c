#include "tools/gateway/sign.hpp"

#include "tools/smpp/secret.hpp"
#include "tools/smpp/text.hpp"

#include <sodium.h>

#include <array>

namespace bobbin::gateway {
namespace {

constexpr std::string_view bearer_scheme = "Bearer ";

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

// The scheme is a word of the protocol, in any case; the token is taken as it is.
bool has_bearer_scheme(std::string_view authorization) {
  if (authorization.size() < bearer_scheme.size()) return false;
  for (std::size_t i = 0; i < bearer_scheme.size(); ++i) {
    const char letter = authorization[i];
    const char lower = letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + ('a' - 'A')) : letter;
    const char expected = bearer_scheme[i] == 'B' ? 'b' : bearer_scheme[i];
    if (lower != expected) return false;
  }
  return true;
}

}  // namespace

std::string sign(std::string_view key, std::string_view body) {
  std::array<unsigned char, crypto_auth_hmacsha256_BYTES> digest{};
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, bytes_of(key), key.size());
  crypto_auth_hmacsha256_update(&state, bytes_of(body), body.size());
  crypto_auth_hmacsha256_final(&state, digest.data());
  return smpp::to_hex({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

bool verify_signature(std::string_view key, std::string_view body, std::string_view signature) {
  const std::string expected = sign(key, body);
  return signature.size() == expected.size() && sodium_memcmp(signature.data(), expected.data(), expected.size()) == 0;
}

std::optional<std::size_t> find_bearer(std::string_view authorization, const std::vector<std::string>& tokens) {
  if (!has_bearer_scheme(authorization)) return std::nullopt;
  const std::string_view token = authorization.substr(bearer_scheme.size());
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (smpp::same_secret(token, tokens[i])) found = i;
  }
  return found;
}

}  // namespace bobbin::gateway
