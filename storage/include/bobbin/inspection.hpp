// What the inspection tool and `verify` see of a log beyond a Snapshot: how records are linked, and what is damaged.
#pragma once

#include <bobbin/store.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace bobbin {

// A record with its place in the chain of checksums; or a place in the log at which no record can be read.
struct LinkedRecord {
  Lsn lsn = 0;
  std::uint64_t checksum = 0;
  std::uint64_t previous_checksum = 0;
  std::optional<Record> record;
  ErrorInfo damage;  // set when there is no record
};

// Records first..last are gone by retention; the checksum of the last one links the chain over the gap.
struct PurgedStretch {
  Lsn first = 0;
  Lsn last = 0;
  std::uint64_t last_checksum = 0;
};

class InspectionSnapshot : public Snapshot {
 public:
  // State of the log as this snapshot sees it.
  virtual LogInfo info() = 0;
  // Like scan, but damage is handed over instead of thrown, and the walk goes on behind it.
  virtual void scan_links(Lsn from, const std::function<bool(LinkedRecord&&)>& visit) = 0;
  // All, in order; neighbours are one.
  virtual std::vector<PurgedStretch> purged_stretches() = 0;
  // Every entry of a run in order. Throws Corrupt when one is damaged or out of order.
  virtual void scan_dedup_run(std::uint64_t run, const std::function<void(const DedupEntry&)>& visit) = 0;
};

// A log opened for reading only, beside the engine that owns it or alone. Any thread.
class LogReader {
 public:
  virtual ~LogReader() = default;
  // Of the moment of the call: an engine may be writing.
  virtual std::unique_ptr<InspectionSnapshot> snapshot() = 0;
  // Throws CorruptLog, naming the page, when the structure around records and rows is damaged, which no checksum
  // covers: a snapshot that walks over such a place may crash. Reads the whole log.
  virtual void check_pages() {}
};

}  // namespace bobbin
