// Tables in memory that remember every version of every value.
#pragma once

#include "storage/log/table.hpp"

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace bobbin::storage {

// What each commit left of each key. A reader of commit n sees what the commits 1..n left; versions are never removed,
// so it needs no further protection than the mutex around each access. One transaction writes at a time: its changes
// are those of commit n+1, which no reader looks at until it is complete. Any thread.
class VersionedTables {
 public:
  using Value = std::shared_ptr<const std::string>;  // null: erased
  struct Version {
    std::uint64_t commit;
    Value value;
  };
  using Versions = std::vector<Version>;
  using Map = std::map<std::string, Versions, std::less<>>;
  // Stays valid as long as the tables: keys are never removed.
  struct Entry {
    Map::const_iterator place;
    Value value;
  };

  std::uint64_t commits() const;
  // A copy of the first `commits` commits.
  std::shared_ptr<VersionedTables> prefix(std::uint64_t commits) const;

  // The entry at or after `key`, the last one, and the neighbours of an entry, as commit `at` left them. False when
  // there is none; `out` stays as it was.
  bool at_or_after(Table table, std::string_view key, std::uint64_t at, Entry& out) const;
  bool last(Table table, std::uint64_t at, Entry& out) const;
  bool after(Table table, const Entry& entry, std::uint64_t at, Entry& out) const;
  bool before(Table table, const Entry& entry, std::uint64_t at, Entry& out) const;

  // Changes of the transaction that is open. Null erases.
  void change(Table table, std::string_view key, Value value);
  void commit();
  void abort();

  // Replaces the newest version of an existing value in place: damage.
  void overwrite(Table table, std::string_view key, std::string value);

 private:
  // Null: not there at that time.
  static const Value* seen(const Versions& versions, std::uint64_t at);
  static bool forward(const Map& map, Map::const_iterator from, std::uint64_t at, Entry& out);
  static bool backward(const Map& map, Map::const_iterator behind, std::uint64_t at, Entry& out);
  const Map& map(Table table) const { return maps_[static_cast<std::size_t>(table)]; }

  mutable std::mutex mutex_;
  std::uint64_t commits_ = 0;
  std::array<Map, table_count> maps_;
  std::vector<Versions*> changed_;  // by the open transaction
};

class MemoryCursor final : public Cursor {
 public:
  MemoryCursor(const VersionedTables& tables, Table table, std::uint64_t at)
      : tables_(tables), table_(table), at_(at) {}
  bool seek(std::string_view key) override;
  bool first() override;
  bool last() override;
  bool next() override;
  bool previous() override;
  std::string_view key() const override { return entry_.place->first; }
  std::string_view value() const override { return *entry_.value; }

 private:
  const VersionedTables& tables_;
  const Table table_;
  const std::uint64_t at_;
  VersionedTables::Entry entry_;
};

// Cursors that see the tables as one commit left them.
class MemoryView {
 public:
  MemoryView(std::shared_ptr<VersionedTables> tables, std::uint64_t at) : tables_(std::move(tables)), at_(at) {}
  Cursor& cursor(Table table);
  VersionedTables& tables() { return *tables_; }

 private:
  std::shared_ptr<VersionedTables> tables_;
  std::uint64_t at_;
  std::array<std::unique_ptr<MemoryCursor>, table_count> cursors_;
};

class MemoryReader final : public Reader {
 public:
  explicit MemoryReader(const std::shared_ptr<VersionedTables>& tables) : view_(tables, tables->commits()) {}
  Cursor& cursor(Table table) override { return view_.cursor(table); }

 private:
  MemoryView view_;
};

// Takes its changes back unless it is committed.
class MemoryWriter final : public Writer {
 public:
  explicit MemoryWriter(const std::shared_ptr<VersionedTables>& tables) : view_(tables, tables->commits() + 1) {}
  ~MemoryWriter() override { view_.tables().abort(); }
  Cursor& cursor(Table table) override { return view_.cursor(table); }
  void append(Table table, std::string_view key, std::string_view value) override;
  void put(Table table, std::string_view key, std::string_view value) override;
  void erase(Table table, std::string_view key) override;
  bool erase_here(Table table) override;
  void commit() { view_.tables().commit(); }

 private:
  MemoryView view_;
};

}  // namespace bobbin::storage
