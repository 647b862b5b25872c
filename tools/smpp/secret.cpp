#include "tools/smpp/secret.hpp"

#include <sodium.h>

#include <array>

namespace bobbin::smpp {
namespace {

using Digest = std::array<unsigned char, crypto_generichash_BYTES>;

Digest digest(std::string_view secret) {
  Digest out{};
  crypto_generichash(out.data(), out.size(), reinterpret_cast<const unsigned char*>(secret.data()), secret.size(),
                     nullptr, 0);
  return out;
}

}  // namespace

// Digests have one length whatever the secrets have, so the comparison itself tells nothing.
bool same_secret(std::string_view left, std::string_view right) {
  const Digest left_digest = digest(left);
  const Digest right_digest = digest(right);
  return sodium_memcmp(left_digest.data(), right_digest.data(), left_digest.size()) == 0;
}

}  // namespace bobbin::smpp
