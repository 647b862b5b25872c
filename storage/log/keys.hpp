// Keys of all tables: big-endian, so that byte order is the order of what they name; sizes are multiples of 8.
#pragma once

#include <bobbin/assert.hpp>
#include <bobbin/store.hpp>

#include <bit>
#include <cstring>
#include <string_view>

namespace bobbin::storage {

static_assert(std::endian::native == std::endian::little, "format 1 is written on little-endian machines only");

// A key under construction; no allocation.
class Key {
 public:
  Key() = default;
  // Copies what is there, not the room.
  Key(const Key& other) { add_bytes(other.bytes_, other.size_); }
  Key& operator=(const Key& other) {
    if (this == &other) return *this;
    size_ = 0;
    add_bytes(other.bytes_, other.size_);
    return *this;
  }

  Key& add(std::uint64_t number) {
    const auto big_endian = __builtin_bswap64(number);
    return add_bytes(&big_endian, sizeof big_endian);
  }
  Key& add(const Id128& id) { return add_bytes(id.bytes.data(), id.bytes.size()); }
  // Signed times sort by their value: the sign bit is flipped.
  Key& add(LogTime time) { return add(static_cast<std::uint64_t>(time.time_since_epoch().count()) ^ sign_bit); }
  // Padded with zeros to a multiple of 8, then its length, so that no two texts share a key.
  Key& add_text(std::string_view text) {
    static constexpr char zeros[8] = {};
    add_bytes(text.data(), text.size());
    add_bytes(zeros, (8 - text.size() % 8) % 8);
    return add(std::uint64_t{text.size()});
  }

  Key& add_raw(std::string_view key) { return add_bytes(key.data(), key.size()); }

  std::string_view view() const { return {bytes_, size_}; }

 private:
  static constexpr std::uint64_t sign_bit = std::uint64_t{1} << 63;

  Key& add_bytes(const void* bytes, std::size_t size) {
    expect(size_ + size <= sizeof bytes_, "a key of the log is longer than a key may be");
    if (size != 0) std::memcpy(bytes_ + size_, bytes, size);
    size_ += size;
    return *this;
  }

  // The longest that LMDB stores: keys have no checksum, and a damaged one may be that long.
  alignas(8) char bytes_[512];
  std::size_t size_ = 0;
};

// Reads what Key wrote. The caller has checked the key's size.
inline std::uint64_t number_at(std::string_view key, std::size_t offset) {
  std::uint64_t big_endian = 0;
  std::memcpy(&big_endian, key.data() + offset, sizeof big_endian);
  return __builtin_bswap64(big_endian);
}
inline LogTime time_at(std::string_view key, std::size_t offset) {
  return LogTime(Duration(static_cast<std::int64_t>(number_at(key, offset) ^ (std::uint64_t{1} << 63))));
}
inline Id128 id_at(std::string_view key, std::size_t offset) {
  Id128 id;
  std::memcpy(id.bytes.data(), key.data() + offset, id.bytes.size());
  return id;
}

// What a value is filed under; the number of a part follows.
inline Key log_key(Lsn lsn) { return Key().add(lsn); }
inline Key instance_key(const InstanceId& id) { return Key().add(id); }
inline Key ledger_key(std::string_view orchestrator) { return Key().add_text(orchestrator); }
inline Key dead_letter_key(Position position) { return Key().add(position.lsn).add(std::uint64_t{position.index}); }
inline Key schema_key(std::uint64_t hash) { return Key().add(hash); }

// Complete keys: these values are never in parts.
inline Key due_key(const DueEntry& entry) { return Key().add(entry.due).add(entry.id); }
inline Key dedup_chunk_key(std::uint64_t run, const Id128& first) { return Key().add(run).add(first); }
inline Key dedup_run_key(std::uint64_t run) { return Key().add(run); }
inline Key gap_key(Lsn first) { return Key().add(first); }
// A dead letter's hold on a record, or the record that settled it.
inline Key hold_key(Lsn lsn, Position letter) {
  return Key().add(lsn).add(letter.lsn).add(std::uint64_t{letter.index});
}
// In the table of holds; no record has it as its number.
inline constexpr std::string_view leftovers_prefix = "ended___";
inline constexpr std::string_view state_key = "state___";
inline constexpr std::string_view identity_key = "identity";

}  // namespace bobbin::storage
