// Values of the log as bytes and back: the only door to the generated Cap'n Proto code.
#pragma once

#include "storage/codec/label.hpp"

#include <bobbin/state.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace bobbin::storage {

// A stored instance row: the state, and the due time under which the row is entered among the due times.
struct InstanceRow {
  InstanceState state;
  std::optional<LogTime> due;
};

// State of the log as checkpointed, and where folding begins: in all, and into rows (0: there, too).
struct LogStateRow {
  LogState state;
  Lsn fold_from = 1;
  Lsn rows_from = 0;
};

// What a purge asks of a record and of an instance's row.
struct RecordHead {
  Lsn lsn = 0;
  InstanceId instance;
  RunId run = 0;
  Elapsed elapsed{};
};
struct InstanceHead {
  Lsn lsn = 0;
  RunId run = 0;
  bool live = false;
  Elapsed ended_elapsed{};
  Lsn purged_through = 0;
  std::vector<Lsn> unread_sources;
};

// Encodes values one after another into one reused buffer. One thread at a time.
//
// Each function returns `headroom` writable bytes followed by the body; sizes are multiples of 8 and the start is
// 8-byte aligned. It is valid until the next call. Throws InvalidArgument for a value beyond `body_bytes_max`.
class Encoder {
 public:
  static constexpr std::size_t headroom = 32;
  static constexpr std::size_t body_bytes_max = std::size_t{256} << 20;
  using Buffer = std::span<std::byte>;

  Encoder();
  ~Encoder();

  Buffer encode(const Record& record);
  Buffer encode(const InstanceState& state, std::optional<LogTime> due);
  Buffer encode(const Ledger& ledger);
  Buffer encode(const DeadLetter& letter);
  Buffer encode(const Schema& schema);
  Buffer encode(const LogStateRow& row);
  Buffer encode(const DedupRun& run);

 private:
  class Scratch;
  std::unique_ptr<Scratch> scratch_;
};

// Decoding trusts nothing: `body` must be 8-byte aligned and whole words, every pointer is bounds-checked, and every
// number that stands for a kind is known. Throws Corrupt or UnsupportedFormat; `what` names the value in the message.
// Results own their bytes.
Record decode_record(std::string_view body, Lsn lsn, const Label& what);
RecordHead decode_record_head(std::string_view body, Lsn lsn, const Label& what);
InstanceHead decode_instance_head(std::string_view body, const Label& what);
InstanceRow decode_instance(std::string_view body, const Label& what);
std::optional<LogTime> decode_instance_due(std::string_view body, const Label& what);
Ledger decode_ledger(std::string_view body, const Label& what);
DeadLetter decode_dead_letter(std::string_view body, const Label& what);
Schema decode_schema(std::string_view body, const Label& what);
LogStateRow decode_log_state(std::string_view body, const Label& what);
DedupRun decode_dedup_run(std::string_view body, const Label& what);

}  // namespace bobbin::storage
