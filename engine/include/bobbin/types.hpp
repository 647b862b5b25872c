// The words that every other header uses: positions, times, identities.
#pragma once

#include <array>
#include <bit>
#include <chrono>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>

namespace bobbin {

// Log sequence number of a record; the first record of a log has 1, and 0 means "none".
using Lsn = std::uint64_t;

// Where an event stands: the record that accepted it and its index among that record's events (S1).
struct Position {
  Lsn lsn = 0;
  std::uint32_t index = 0;
  auto operator<=>(const Position&) const = default;
};

// "LSN.index", as shown to people and used as a message id.
std::string to_string(Position position);

// Log time (S4): never goes back, survives restarts, close to the wall clock (UTC).
using Duration = std::chrono::microseconds;
using LogTime = std::chrono::time_point<std::chrono::system_clock, Duration>;

// Time during which the engine was open, summed over all its opens; retention and horizons count in it (S4).
using Elapsed = Duration;

// `time + length` without overflow: any representable length is a legal timer (S5).
LogTime add_saturating(LogTime time, Duration length);

// Sixteen bytes that name something for ever.
struct Id128 {
  std::array<std::uint8_t, 16> bytes{};

  // In the order of the bytes; a word at a time.
  std::strong_ordering operator<=>(const Id128& other) const {
    const auto high = word(0) <=> other.word(0);
    return high != 0 ? high : word(8) <=> other.word(8);
  }
  bool operator==(const Id128& other) const { return std::memcmp(bytes.data(), other.bytes.data(), 16) == 0; }

 private:
  std::uint64_t word(std::size_t at) const {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, sizeof word);
    return std::endian::native == std::endian::little ? __builtin_bswap64(word) : word;
  }
};

std::string to_hex(const Id128& id);
// Throws InvalidArgument unless `hex` is 32 hexadecimal digits.
Id128 id_from_hex(std::string_view hex);

// Names and keys are bytes of any content (S6).
inline constexpr std::size_t name_bytes_max = 128;   // of orchestrators, activities, events: at least 1; of dedup ids
inline constexpr std::size_t key_bytes_max = 1'024;  // at least 1

// Throws InvalidArgument unless there are 1 to `bytes_max` bytes; `what`, such as "an event's name", begins the
// message. Any thread.
void check_size(std::string_view what, std::string_view bytes, std::size_t bytes_max = name_bytes_max);

// What a caller names an instance by: a name and a key.
struct InstanceName {
  std::string orchestrator;
  std::string key;
  auto operator<=>(const InstanceName&) const = default;
};

// Function of orchestrator and key alone, so two starts of one key are one instance (S6).
using InstanceId = Id128;

// Throws InvalidArgument when the name or the key is empty or too long. Any thread.
InstanceId instance_id(const InstanceName& name);

// A run is identified by the LSN of its start record, which is never used again (S7).
using RunId = Lsn;

struct Id128Hash {
  std::size_t operator()(const Id128& id) const noexcept {
    std::size_t word = 0;  // the bytes are already a hash
    std::memcpy(&word, id.bytes.data(), sizeof word);
    return word;
  }
};

}  // namespace bobbin
