// The ordered tables that a log consists of, as a backend (LMDB, memory) offers them. All that storage/log writes or
// reads goes through these few calls, so both backends hold the same bytes under the same keys.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace bobbin::storage {

enum class Table : std::uint8_t {
  meta,
  log,
  instances,
  due,
  ledgers,
  dead_letters,
  schemas,
  dedup_chunks,
  dedup_runs,
  gaps,
  holds,
};
inline constexpr std::size_t table_count = 11;

// Their names in the environment. Sizes are multiples of 8, like all keys: values are then 8-byte aligned.
inline constexpr std::array<const char*, table_count> table_names = {
    "meta____", "log_____",         "instances_______", "due_____", "ledgers_", "dead_letters____",
    "schemas_", "dedup_chunks____", "dedup_runs______", "gaps____", "holds___"};

// Walks one table in key order. Bytes shown stay valid until the transaction's next write or end.
class Cursor {
 public:
  virtual ~Cursor() = default;
  // Each says whether it stands on an entry now.
  virtual bool seek(std::string_view key) = 0;  // the first entry at or after `key`
  virtual bool first() = 0;
  virtual bool last() = 0;
  virtual bool next() = 0;
  virtual bool previous() = 0;
  // Of the entry it stands on.
  virtual std::string_view key() const = 0;
  virtual std::string_view value() const = 0;
};

// A consistent view. One thread at a time.
class Reader {
 public:
  virtual ~Reader() = default;
  // The table's one cursor, owned by the reader; a later call for the same table moves the same cursor.
  virtual Cursor& cursor(Table table) = 0;
};

// A transaction that is open for writing; sees its own writes.
class Writer : public Reader {
 public:
  // `append` demands a key above all others of its table. Sizes must be multiples of 8.
  virtual void append(Table table, std::string_view key, std::string_view value) = 0;
  virtual void put(Table table, std::string_view key, std::string_view value) = 0;
  virtual void erase(Table table, std::string_view key) = 0;  // no matter whether it is there
  // Erases the entry on which the table's cursor stands, and moves it to the next one; says whether there is one.
  virtual bool erase_here(Table table) = 0;
};

}  // namespace bobbin::storage
