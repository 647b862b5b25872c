#include "storage/log/frame.hpp"

#include <bobbin/error.hpp>

#include <xxhash.h>

#include <cstring>

namespace bobbin::storage {

namespace {

constexpr std::size_t checksum_bytes = sizeof(std::uint64_t);

std::string_view view(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

template <class Frame>
Frame open(std::string_view framed, std::uint64_t seed, const Label& what) {
  if (framed.size() < sizeof(Frame)) throw_damaged(what, "it is shorter than its frame");
  Frame frame;
  std::memcpy(&frame, framed.data(), sizeof frame);
  if (frame.body_bytes != framed.size() - sizeof frame) throw_damaged(what, "its length is not the one recorded");
  if (checksum_of(framed.substr(checksum_bytes), seed) != frame.checksum)
    throw_damaged(what, "its checksum does not match");
  if (frame.reserved != 0)
    throw UnsupportedFormat(what.text() + " was written by a newer Bobbin; use that or a later one");
  return frame;
}

template <class Frame>
std::uint64_t seal(std::span<std::byte> framed, Frame frame, std::uint64_t seed) {
  frame.body_bytes = static_cast<std::uint32_t>(framed.size() - sizeof frame);
  std::memcpy(framed.data(), &frame, sizeof frame);
  frame.checksum = checksum_of(view(framed).substr(checksum_bytes), seed);
  std::memcpy(framed.data(), &frame.checksum, checksum_bytes);
  return frame.checksum;
}

}  // namespace

std::uint64_t checksum_of(std::string_view bytes, std::uint64_t seed) {
  return XXH64(bytes.data(), bytes.size(), seed);
}

std::uint64_t seal_record(std::span<std::byte> framed, Lsn lsn, std::uint64_t previous_checksum) {
  return seal(framed, RecordFrame{0, 0, 0, lsn, previous_checksum}, 0);
}

std::uint64_t seal_row(std::span<std::byte> framed, std::string_view key) {
  return seal(framed, RowFrame{}, checksum_of(key));
}

RecordFrame open_record(std::string_view framed, Lsn lsn, const Label& what) {
  const auto frame = open<RecordFrame>(framed, 0, what);
  if (frame.lsn != lsn) throw_damaged(what, "it says that it is record " + std::to_string(frame.lsn));
  return frame;
}

void open_row(std::string_view framed, std::string_view key, const Label& what) {
  open<RowFrame>(framed, checksum_of(key), what);
}

}  // namespace bobbin::storage
