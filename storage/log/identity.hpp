// What says that these tables are a log of Bobbin, in which format, and which log. Fixed layout for ever.
#pragma once

#include "storage/log/table.hpp"

#include <bobbin/types.hpp>

#include <cstdint>

namespace bobbin::storage {

inline constexpr std::uint32_t format_version = 1;

struct Identity {
  std::uint32_t version = format_version;
  Id128 log_id;
  Id128 epoch;
};

void write_identity(Writer& writer, const Identity& identity);
// Throws UnsupportedFormat for a newer format, Corrupt when there is none or it is damaged.
Identity read_identity(Reader& reader);

}  // namespace bobbin::storage
