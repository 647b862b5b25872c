#include "tools/gateway/dedup_id.hpp"

#include "tools/smpp/text.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>

namespace bobbin::gateway {
namespace {

constexpr std::size_t hash_bytes = 16;
constexpr std::size_t key_size = 2 * hash_bytes;
constexpr std::size_t occurrence_size = 16;
constexpr std::string_view occurrence_prefix = "m-";
constexpr std::size_t occurrence_id_size = occurrence_prefix.size() + key_size + 1 + occurrence_size;

void update(crypto_generichash_state& state, std::string_view bytes) {
  crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
}

template <std::size_t size>
std::array<char, size> big_endian(std::uint64_t value) {
  std::array<char, size> bytes{};
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(value >> (8 * (size - 1 - i)));
  return bytes;
}

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char letter) { return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'f'); });
}

}  // namespace

std::string hash_fields(std::initializer_list<std::string_view> fields) {
  crypto_generichash_state state;
  crypto_generichash_init(&state, nullptr, 0, hash_bytes);
  for (const std::string_view field : fields) {
    const auto size = big_endian<4>(field.size());
    update(state, {size.data(), size.size()});
    update(state, field);
  }
  std::array<unsigned char, hash_bytes> digest{};
  crypto_generichash_final(&state, digest.data(), digest.size());
  return smpp::to_hex({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

std::string derived_id(char kind, const std::string& hash) { return std::string{kind, '-'} + hash; }

std::string occurrence_id(const std::string& key, std::uint64_t occurrence) {
  const auto bytes = big_endian<8>(occurrence);
  return std::string(occurrence_prefix) + key + "-" + smpp::to_hex({bytes.data(), bytes.size()});
}

std::optional<std::string> key_of(std::string_view dedup_id) {
  if (dedup_id.size() != occurrence_id_size || !dedup_id.starts_with(occurrence_prefix)) return std::nullopt;
  const std::string_view key = dedup_id.substr(occurrence_prefix.size(), key_size);
  const std::string_view occurrence = dedup_id.substr(occurrence_prefix.size() + key_size);
  if (!is_hex(key) || occurrence[0] != '-' || !is_hex(occurrence.substr(1))) return std::nullopt;
  return std::string(key);
}

}  // namespace bobbin::gateway
