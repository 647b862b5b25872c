#include "storage/log/identity.hpp"

#include "storage/codec/label.hpp"
#include "storage/log/frame.hpp"
#include "storage/log/keys.hpp"

#include <bobbin/error.hpp>

#include <cstring>
#include <string>

namespace bobbin::storage {

namespace {

// The value, little-endian. Later versions keep the layout up to and including the checksum's place, so that every
// version can say which one wrote a log.
struct StoredIdentity {
  std::array<char, 8> magic{'B', 'O', 'B', 'B', 'I', 'N', '\r', '\n'};
  std::uint32_t version = 0;
  std::uint32_t byte_order = 0x01020304;
  Id128 log_id;
  Id128 epoch;
  std::uint64_t checksum = 0;  // XXH64 of all before it
};
static_assert(sizeof(StoredIdentity) == 56);

constexpr Label what = "the identity of the log (table meta)";

std::string_view bytes_of(const StoredIdentity& stored) {
  return {reinterpret_cast<const char*>(&stored), sizeof stored};
}

std::uint64_t checksum_over(const StoredIdentity& stored) {
  return checksum_of(bytes_of(stored).substr(0, offsetof(StoredIdentity, checksum)));
}

}  // namespace

void write_identity(Writer& writer, const Identity& identity) {
  StoredIdentity stored;
  stored.version = identity.version;
  stored.log_id = identity.log_id;
  stored.epoch = identity.epoch;
  stored.checksum = checksum_over(stored);
  writer.put(Table::meta, identity_key, bytes_of(stored));
}

Identity read_identity(Reader& reader) {
  auto& cursor = reader.cursor(Table::meta);
  if (!cursor.seek(identity_key) || cursor.key() != identity_key) throw_damaged(what, "it is missing");
  StoredIdentity stored;
  if (cursor.value().size() < sizeof stored) throw_damaged(what, "it is too short");
  std::memcpy(&stored, cursor.value().data(), sizeof stored);
  if (stored.magic != StoredIdentity{}.magic) throw_damaged(what, "it is no log of Bobbin");
  if (checksum_over(stored) != stored.checksum) throw_damaged(what, "its checksum does not match");
  if (stored.byte_order != StoredIdentity{}.byte_order)
    throw UnsupportedFormat("the log was written on a machine with another byte order; read it there");
  if (stored.version > format_version)
    throw UnsupportedFormat("the log has format " + std::to_string(stored.version) + ", this version of Bobbin reads " +
                            std::to_string(format_version) +
                            " and older; use the Bobbin that wrote it, or a newer one");
  return {stored.version, stored.log_id, stored.epoch};
}

}  // namespace bobbin::storage
