// LMDB's and the system's error numbers, in the taxonomy of errors.
#pragma once

#include <bobbin/error.hpp>

#include <filesystem>
#include <stdexcept>
#include <string>

namespace bobbin::storage {

// A failed call while a transaction is open for writing; the store decides what it means for the batch.
class LmdbFailure : public std::runtime_error {
 public:
  LmdbFailure(int number, const std::string& doing);
  int number() const noexcept { return number_; }
  bool is_full() const noexcept;     // of the disk or the map
  bool is_corrupt() const noexcept;  // LMDB found its own pages damaged

 private:
  int number_;
};

// What was written may not be on the disk.
[[noreturn]] void throw_sync_failure(int number, const std::filesystem::path& path);

// For opening and reading. `number` is LMDB's or errno's; that of damage makes CorruptLog.
[[noreturn]] void throw_failure(int number, const std::string& doing, const std::filesystem::path& path);

}  // namespace bobbin::storage
