// Where purged records stood: one entry for each stretch, neighbours joined, so that a purged record is told from a
// lost one however long a log lives.
#pragma once

#include "storage/log/table.hpp"

#include <bobbin/inspection.hpp>

namespace bobbin::storage {

// The stretch is next to those that are known already, or apart from them.
void add_gap(Writer& writer, PurgedStretch stretch);
// Throws Corrupt for a damaged entry.
std::vector<PurgedStretch> read_gaps(Reader& reader);

}  // namespace bobbin::storage
