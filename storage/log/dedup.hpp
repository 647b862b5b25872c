// Dedup memory (S13): chunks of fixed-size entries, sorted by hash, searched where they lie.
#pragma once

#include "storage/log/table.hpp"

#include <bobbin/store.hpp>

namespace bobbin::storage {

void write_dedup_chunk(Writer& writer, const DedupChunk& chunk);
// Forgets the run at once and marks its chunks for sweeping: deleting them all in one transaction would stall a commit.
void drop_dedup_run(Writer& writer, std::uint64_t run);
// Deletes some chunks of dropped runs; called in every commit.
void sweep_dropped_dedup_runs(Writer& writer);
std::optional<DedupEntry> find_dedup_entry(Reader& reader, std::uint64_t run, const Id128& hash);
// Hashes of up to `limit` entries after `after`, in order.
std::vector<Id128> read_dedup_hashes(Reader& reader, std::uint64_t run, const std::optional<Id128>& after,
                                     std::size_t limit);
// All entries of a run in order; throws Corrupt for one that is damaged or out of order.
void visit_dedup_run(Reader& reader, std::uint64_t run, const std::function<void(const DedupEntry&)>& visit);

}  // namespace bobbin::storage
