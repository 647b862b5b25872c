#include <bobbin/assert.hpp>
#include <bobbin/error.hpp>
#include <bobbin/types.hpp>

#include <sodium.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <limits>

namespace bobbin {

void assertion_failed(const char* what, const char* file, int line) {
  std::fprintf(stderr, "bobbin: invariant broken: %s (%s:%d)\n", what, file, line);
  std::abort();
}

std::string to_string(Position position) {
  constexpr std::size_t lsn_digits = 20;
  constexpr std::size_t index_digits = 10;
  char text[lsn_digits + 1 + index_digits];
  auto* end = std::to_chars(text, text + lsn_digits, position.lsn).ptr;
  *end++ = '.';
  end = std::to_chars(end, std::end(text), position.index).ptr;
  return {text, end};
}

LogTime add_saturating(LogTime time, Duration length) {
  Duration::rep sum = 0;
  if (__builtin_add_overflow(time.time_since_epoch().count(), length.count(), &sum))
    sum = length.count() > 0 ? std::numeric_limits<Duration::rep>::max() : std::numeric_limits<Duration::rep>::min();
  return LogTime(Duration(sum));
}

std::string to_hex(const Id128& id) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(32);
  for (const auto byte : id.bytes) {
    hex.push_back(digits[byte >> 4]);
    hex.push_back(digits[byte & 15]);
  }
  return hex;
}

Id128 id_from_hex(std::string_view hex) {
  Id128 id;
  std::size_t length = 0;
  const bool complete =
      sodium_hex2bin(id.bytes.data(), id.bytes.size(), hex.data(), hex.size(), nullptr, &length, nullptr) == 0;
  if (!complete || length != id.bytes.size() || hex.size() != 32)
    throw InvalidArgument("'" + std::string(hex.substr(0, 64)) + "' is no id: give 32 hexadecimal digits");
  return id;
}

void check_size(std::string_view what, std::string_view bytes, std::size_t bytes_max) {
  if (bytes.empty() || bytes.size() > bytes_max)
    throw InvalidArgument(std::string(what) + " has 1 to " + std::to_string(bytes_max) + " bytes, this one " +
                          std::to_string(bytes.size()));
}

namespace {

void hash_sized(crypto_generichash_state& hash, std::string_view bytes) {
  const auto size = static_cast<std::uint32_t>(bytes.size());
  const std::array<unsigned char, 4> prefix{static_cast<unsigned char>(size), static_cast<unsigned char>(size >> 8),
                                            static_cast<unsigned char>(size >> 16),
                                            static_cast<unsigned char>(size >> 24)};
  crypto_generichash_update(&hash, prefix.data(), prefix.size());
  crypto_generichash_update(&hash, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
}

}  // namespace

InstanceId instance_id(const InstanceName& name) {
  check_size("an orchestrator's name", name.orchestrator);
  check_size("a key", name.key, key_bytes_max);
  InstanceId id;
  crypto_generichash_state hash;
  crypto_generichash_init(&hash, nullptr, 0, id.bytes.size());
  hash_sized(hash, name.orchestrator);
  hash_sized(hash, name.key);
  crypto_generichash_final(&hash, id.bytes.data(), id.bytes.size());
  return id;
}

}  // namespace bobbin
