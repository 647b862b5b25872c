// Looks at an environment's file before LMDB does: LMDB believes its meta pages, which have no checksum.
#pragma once

#include <filesystem>

namespace bobbin::storage {

// Throws UnsupportedFormat when the file comes from another kind of machine or a newer LMDB, CorruptLog (naming the
// page) when neither LMDB nor its reader could survive it, NotFound when there is no file.
void probe_environment(const std::filesystem::path& data_file);

}  // namespace bobbin::storage
