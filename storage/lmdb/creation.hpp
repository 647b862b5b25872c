// A new log, built where no one sees it: LMDB does not sync its first two pages, nor the directory, and an environment
// torn between them could never be opened again.
#pragma once

#include <filesystem>

namespace bobbin::storage {

inline constexpr const char* data_file_name = "data.mdb";

// Removes what a creation that was cut short has left in `directory`; says whether there was something.
bool remove_unfinished(const std::filesystem::path& directory);

// Makes an empty log in `directory`, which exists. On return it is durable under its final name. The caller holds the
// owner's lock.
void create_log(const std::filesystem::path& directory);

}  // namespace bobbin::storage
