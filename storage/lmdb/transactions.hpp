// LMDB's transactions as the Reader and Writer that storage/log works on.
#pragma once

#include "storage/log/table.hpp"

#include <lmdb.h>

#include <array>
#include <memory>
#include <optional>

namespace bobbin::storage {

class Environment;
using Databases = std::array<MDB_dbi, table_count>;

class LmdbCursor final : public Cursor {
 public:
  LmdbCursor(MDB_txn* transaction, MDB_dbi database);
  ~LmdbCursor() override { mdb_cursor_close(cursor_); }
  LmdbCursor(const LmdbCursor&) = delete;
  LmdbCursor& operator=(const LmdbCursor&) = delete;

  // In a read transaction that has been renewed.
  void renew(MDB_txn* transaction);

  bool seek(std::string_view key) override;
  bool first() override { return move(MDB_FIRST); }
  bool last() override { return move(MDB_LAST); }
  bool next() override { return move(MDB_NEXT); }
  bool previous() override { return move(MDB_PREV); }
  std::string_view key() const override { return view(key_); }
  std::string_view value() const override { return view(value_); }

  void put(std::string_view key, std::string_view value, unsigned flags);
  void erase();  // the entry that it stands on

 private:
  bool move(MDB_cursor_op operation);
  static std::string_view view(const MDB_val& bytes) {
    return {static_cast<const char*>(bytes.mv_data), bytes.mv_size};
  }

  MDB_cursor* cursor_ = nullptr;
  MDB_val key_{};
  MDB_val value_{};
};

// A read transaction with its cursors, used again and again: a new one costs a slot in the lock file each time.
class ReadTransaction {
 public:
  explicit ReadTransaction(MDB_env* environment);
  ~ReadTransaction();
  ReadTransaction(const ReadTransaction&) = delete;
  ReadTransaction& operator=(const ReadTransaction&) = delete;

  void reset();  // lets go of the pages it saw
  void renew();  // sees the newest commit
  LmdbCursor& cursor(Table table, const Databases& databases);

 private:
  struct Slot {
    std::unique_ptr<LmdbCursor> cursor;
    bool is_current = false;
  };
  MDB_txn* transaction_ = nullptr;
  std::array<Slot, table_count> slots_;
};

class LmdbReader final : public Reader {
 public:
  explicit LmdbReader(std::shared_ptr<Environment> environment);
  ~LmdbReader() override;
  LmdbReader(const LmdbReader&) = delete;
  LmdbReader& operator=(const LmdbReader&) = delete;
  Cursor& cursor(Table table) override;

 private:
  std::shared_ptr<Environment> environment_;
  std::unique_ptr<ReadTransaction> transaction_;
};

// Begins, and ends, on the thread that commits; dropped unless committed. All its calls throw LmdbFailure.
class LmdbWriter final : public Writer {
 public:
  LmdbWriter(MDB_env* environment, const Databases& databases);
  ~LmdbWriter() override;
  LmdbWriter(const LmdbWriter&) = delete;
  LmdbWriter& operator=(const LmdbWriter&) = delete;

  Cursor& cursor(Table table) override { return at(table); }
  void append(Table table, std::string_view key, std::string_view value) override;
  void put(Table table, std::string_view key, std::string_view value) override;
  void erase(Table table, std::string_view key) override;
  bool erase_here(Table table) override;
  void commit();

  // Pages that this transaction's commit may add to the file at most, were no old one free to be used again: cheaply,
  // for trees of up to `depth` levels; or by a look at each tree.
  std::uint64_t pages_at_most(unsigned depth) const;
  std::uint64_t pages_at_most();

 private:
  LmdbCursor& at(Table table);
  void erase_at(LmdbCursor& cursor, Table table);
  std::uint64_t leaves_at_most(std::size_t table) const;
  void count_purged(std::string_view key, std::size_t bytes);

  const Databases& databases_;
  MDB_txn* transaction_ = nullptr;
  std::array<std::optional<LmdbCursor>, table_count> cursors_;
  std::array<std::uint64_t, table_count>
      changes_{};  // entries put or erased, but for those that leave the log's beginning
  std::array<std::uint64_t, table_count> appended_bytes_{};
  std::uint64_t purged_bytes_ = 0;
  std::uint64_t purged_stretches_ = 0;
  std::uint64_t purged_lsn_ = 0;  // the last one
};

}  // namespace bobbin::storage
