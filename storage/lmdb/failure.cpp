#include "storage/lmdb/failure.hpp"

#include <lmdb.h>

#include <cerrno>

namespace bobbin::storage {

namespace {

bool says_full(int number) { return number == ENOSPC || number == EDQUOT || number == MDB_MAP_FULL; }

bool says_corrupt(int number) {
  return number == MDB_CORRUPTED || number == MDB_PAGE_NOTFOUND || number == MDB_INVALID || number == MDB_CURSOR_FULL ||
         number == EIO;
}

ErrorCode code_of(int number) {
  if (says_full(number)) return ErrorCode::storage_full;
  if (says_corrupt(number)) return ErrorCode::corrupt;
  switch (number) {
    case ENOENT:
    case ENOTDIR:
      return ErrorCode::not_found;
    case MDB_VERSION_MISMATCH:
      return ErrorCode::unsupported_format;
    case MDB_BAD_TXN:  // what failed before has made it useless
    case MDB_PANIC:    // so has a commit that failed, for all
      return ErrorCode::outcome_unknown;
    case MDB_READERS_FULL:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return ErrorCode::overloaded;
    default:
      return ErrorCode::invalid_argument;
  }
}

const char* advice_for(ErrorCode code) {
  if (code == ErrorCode::storage_full) return "; make room and try again";
  if (code == ErrorCode::corrupt) return "; check the disk and restore a backup";
  if (code == ErrorCode::outcome_unknown) return "; close the log and open it again";
  if (code == ErrorCode::not_found) return "; check the path";
  if (code == ErrorCode::unsupported_format) return "; open it with the version that wrote it";
  if (code == ErrorCode::overloaded) return "; close snapshots or raise the process's limits";
  return "; check the path and its permissions";
}

}  // namespace

LmdbFailure::LmdbFailure(int number, const std::string& doing)
    : std::runtime_error(doing + ": " + mdb_strerror(number)), number_(number) {}

bool LmdbFailure::is_full() const noexcept { return says_full(number_); }
bool LmdbFailure::is_corrupt() const noexcept { return says_corrupt(number_); }

void throw_sync_failure(int number, const std::filesystem::path& path) {
  if (says_full(number)) throw_failure(number, "syncing", path);
  throw OutcomeUnknown("syncing " + path.string() + " failed: " + mdb_strerror(number) +
                       "; check the disk and open the log again to see what is durable");
}

void throw_failure(int number, const std::string& doing, const std::filesystem::path& path) {
  const auto code = code_of(number);
  const auto message = doing + " " + path.string() + " failed: " + mdb_strerror(number) + advice_for(code);
  if (code == ErrorCode::corrupt) throw CorruptLog(message);
  throw_error({code, {}, message, false});
}

}  // namespace bobbin::storage
