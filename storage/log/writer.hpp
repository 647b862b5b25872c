// Writes a batch into an open transaction of any backend.
#pragma once

#include "storage/codec/codec.hpp"
#include "storage/log/sweep.hpp"
#include "storage/log/table.hpp"

#include <bobbin/store.hpp>

namespace bobbin::storage {

// The newest record.
struct Tail {
  Lsn lsn = 0;
  std::uint64_t checksum = 0;
};

// Writes all of `batch` but its purge after `tail`, purges as `purge` says, and returns the new tail. Throws
// InvalidArgument when the records do not continue the log, or a row stands for a record that is not in it; the caller
// then drops the transaction.
Tail write_batch(Writer& writer, Encoder& encoder, const Batch& batch, const std::optional<PurgeOrder>& purge,
                 Tail tail, Sweep& sweep, Committed& done);

}  // namespace bobbin::storage
