// Rows whose last record a purge has taken, named in the same commit: they are deleted in later ones, and a crash in
// between must not leave any behind for ever (S28).
#pragma once

#include "storage/log/table.hpp"

#include <bobbin/store.hpp>

#include <span>

namespace bobbin::storage {

// Those named before stay named as long as their rows stand.
void add_leftovers(Writer& writer, std::span<const Committed::Ended> ended);
// Those named whose rows still stand as they were, as far as those can be read. Throws Corrupt when the names are
// damaged.
std::vector<Committed::Ended> read_leftovers(Reader& reader);

}  // namespace bobbin::storage
