// Frames: what stands before every body so that damage is found before anything of it is believed.
#pragma once

#include "storage/codec/label.hpp"

#include <bobbin/types.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace bobbin::storage {

// 32 bytes before a record's body, little-endian. The checksum is XXH64 with seed 0 over all that follows it.
struct RecordFrame {
  std::uint64_t checksum = 0;
  std::uint32_t body_bytes = 0;
  std::uint32_t reserved = 0;  // zero in format 1
  std::uint64_t lsn = 0;
  std::uint64_t previous_checksum = 0;  // of the record before it in the log; 0 for the first
};
static_assert(sizeof(RecordFrame) == 32);

// 16 bytes before a row's body, little-endian. The checksum is XXH64 over all that follows it, seeded with the XXH64
// (seed 0) of the key that the row is filed under: a row in a wrong place is found, too.
struct RowFrame {
  std::uint64_t checksum = 0;
  std::uint32_t body_bytes = 0;
  std::uint32_t reserved = 0;
};
static_assert(sizeof(RowFrame) == 16);

// The offset of `body_bytes` in both frames.
inline constexpr std::size_t length_offset = 8;

std::uint64_t checksum_of(std::string_view bytes, std::uint64_t seed = 0);

// Fill the frame at the head of `framed`, whose body is complete. Return the checksum.
std::uint64_t seal_record(std::span<std::byte> framed, Lsn lsn, std::uint64_t previous_checksum);
std::uint64_t seal_row(std::span<std::byte> framed, std::string_view key);

// Check a whole framed value; throw Corrupt or UnsupportedFormat naming `what`.
RecordFrame open_record(std::string_view framed, Lsn lsn, const Label& what);
void open_row(std::string_view framed, std::string_view key, const Label& what);

inline std::string_view record_body(std::string_view framed) { return framed.substr(sizeof(RecordFrame)); }
inline std::string_view row_body(std::string_view framed) { return framed.substr(sizeof(RowFrame)); }

}  // namespace bobbin::storage
