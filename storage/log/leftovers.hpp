// Instances whose last record a purge has taken, named in the same commit until their rows are gone, too: those are
// deleted in later commits, and a crash in between must not leave any behind for ever (S28).
#pragma once

#include "storage/log/table.hpp"

#include <bobbin/store.hpp>

#include <span>

namespace bobbin::storage {

void add_leftovers(Writer& writer, std::span<const Committed::Ended> ended);
// All lists but those whose last row still stands: a purge that passed this batch while it waited for room made them.
void erase_leftovers(Writer& writer);
// Throws Corrupt when some names are damaged.
std::vector<Committed::Ended> read_leftovers(Reader& reader);

}  // namespace bobbin::storage
