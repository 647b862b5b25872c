// Random values of everything that a log can hold, with every member set now and then.
#pragma once

#include "tests/support/show.hpp"

#include <bobbin/store.hpp>

#include <cstdint>
#include <random>
#include <string>

namespace bobbin::test {

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {}

  std::uint64_t number() { return random_(); }
  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }
  bool coin() { return below(2) == 0; }
  std::string text(std::size_t size_max = 40);
  InstanceName name();
  Id128 id();
  LogTime time() { return LogTime(Duration(static_cast<std::int64_t>(number()))); }
  Elapsed elapsed() { return Elapsed(static_cast<std::int64_t>(number() >> 2)); }
  PayloadPtr payload();
  ErrorInfo error();    // or none
  ErrorInfo failure();  // never none
  Position position() { return {number(), static_cast<std::uint32_t>(number())}; }
  Event event(Lsn lsn, LogTime log_time);
  Input input(std::size_t kind, Lsn lsn, LogTime log_time);
  Decision decision(std::size_t kind, Lsn lsn);
  RunEnd end();
  RecordBody body(std::size_t kind, Lsn lsn, LogTime log_time);
  Record record(Lsn lsn, std::size_t kind);
  Record record(Lsn lsn) { return record(lsn, below(std::variant_size_v<RecordBody>)); }

  InstanceState instance(Lsn lsn);
  Ledger ledger(Lsn lsn);
  DeadLetter dead_letter(Lsn lsn);
  Schema schema();

 private:
  std::uint32_t small() { return static_cast<std::uint32_t>(number()); }
  std::mt19937_64 random_;
};

using testing::show;

// A plain turn of run 1 in an open window: one event of `payload_bytes`, taken at once. Record 1 starts the run.
Record plain_turn(Lsn lsn, std::size_t payload_bytes);
Batch plain_turns(Lsn first, std::size_t count, std::size_t payload_bytes = 100);

}  // namespace bobbin::test
