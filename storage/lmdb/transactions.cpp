#include "storage/lmdb/transactions.hpp"

#include "storage/lmdb/environment.hpp"
#include "storage/lmdb/failure.hpp"

#include <bobbin/assert.hpp>

#include <algorithm>

namespace bobbin::storage {

namespace {

void check(int result, const char* doing) {
  if (result != MDB_SUCCESS) throw LmdbFailure(result, doing);
}

// For a call that only reads. The names of files are not known here; the failures that occur do not depend on them.
void check_read(int result, const char* doing) {
  if (result != MDB_SUCCESS) throw_failure(result, doing, "the log's environment");
}

// Of an entry: its header and its place in the page's index.
constexpr std::uint64_t entry_overhead = 16;
// A page takes entries until the next one does not fit, and the largest are a little less than half a page.
constexpr std::uint64_t leaf_filled_at_least = 2'048;
constexpr std::uint64_t leaves_a_branch_at_least = 32;

// Each changed entry may lie in a leaf of its own, and split it or merge it with another.
std::uint64_t leaves_changed(std::uint64_t entries) { return 2 * entries; }
// Entries one behind the other fill leaves.
std::uint64_t leaves_filled(std::uint64_t bytes, std::uint64_t stretches) {
  return bytes / leaf_filled_at_least + 2 * stretches;
}

MDB_val bytes_of(std::string_view bytes) { return {bytes.size(), const_cast<char*>(bytes.data())}; }

}  // namespace

LmdbCursor::LmdbCursor(MDB_txn* transaction, MDB_dbi database) {
  check_read(mdb_cursor_open(transaction, database, &cursor_), "reading");
}

void LmdbCursor::renew(MDB_txn* transaction) { check_read(mdb_cursor_renew(transaction, cursor_), "reading"); }

bool LmdbCursor::seek(std::string_view key) {
  if (key.empty()) return first();
  key_ = bytes_of(key);
  return move(MDB_SET_RANGE);
}

bool LmdbCursor::move(MDB_cursor_op operation) {
  const auto result = mdb_cursor_get(cursor_, &key_, &value_, operation);
  if (result == MDB_SUCCESS) return true;
  key_ = value_ = {};
  if (result != MDB_NOTFOUND) check_read(result, "reading");
  return false;
}

void LmdbCursor::put(std::string_view key, std::string_view value, unsigned flags) {
  auto stored_key = bytes_of(key);
  auto stored_value = bytes_of(value);
  check(mdb_cursor_put(cursor_, &stored_key, &stored_value, flags), "writing");
}

void LmdbCursor::erase() { check(mdb_cursor_del(cursor_, 0), "deleting"); }

ReadTransaction::ReadTransaction(MDB_env* environment) {
  check_read(mdb_txn_begin(environment, nullptr, MDB_RDONLY, &transaction_), "beginning to read");
}

ReadTransaction::~ReadTransaction() {
  for (auto& slot : slots_) slot.cursor.reset();
  mdb_txn_abort(transaction_);
}

void ReadTransaction::reset() {
  mdb_txn_reset(transaction_);
  for (auto& slot : slots_) slot.is_current = false;
}

void ReadTransaction::renew() { check_read(mdb_txn_renew(transaction_), "beginning to read"); }

LmdbCursor& ReadTransaction::cursor(Table table, const Databases& databases) {
  const auto number = static_cast<std::size_t>(table);
  auto& slot = slots_[number];
  if (!slot.cursor)
    slot.cursor = std::make_unique<LmdbCursor>(transaction_, databases[number]);
  else if (!slot.is_current)
    slot.cursor->renew(transaction_);
  slot.is_current = true;
  return *slot.cursor;
}

LmdbReader::LmdbReader(std::shared_ptr<Environment> environment)
    : environment_(std::move(environment)), transaction_(environment_->begin_read()) {}

LmdbReader::~LmdbReader() { environment_->end_read(std::move(transaction_)); }

Cursor& LmdbReader::cursor(Table table) { return transaction_->cursor(table, environment_->databases()); }

LmdbWriter::LmdbWriter(MDB_env* environment, const Databases& databases) : databases_(databases) {
  check(mdb_txn_begin(environment, nullptr, 0, &transaction_), "beginning to write");
}

LmdbWriter::~LmdbWriter() {
  for (auto& cursor : cursors_) cursor.reset();
  if (transaction_) mdb_txn_abort(transaction_);
}

LmdbCursor& LmdbWriter::at(Table table) {
  const auto number = static_cast<std::size_t>(table);
  if (!cursors_[number]) cursors_[number].emplace(transaction_, databases_[number]);
  return *cursors_[number];
}

void LmdbWriter::append(Table table, std::string_view key, std::string_view value) {
  expect(key.size() % 8 == 0 && value.size() % 8 == 0, "keys and values of the log have sizes that are multiples of 8");
  at(table).put(key, value, MDB_APPEND);
  appended_bytes_[static_cast<std::size_t>(table)] += key.size() + value.size() + entry_overhead;
}

void LmdbWriter::put(Table table, std::string_view key, std::string_view value) {
  expect(key.size() % 8 == 0 && value.size() % 8 == 0, "keys and values of the log have sizes that are multiples of 8");
  at(table).put(key, value, 0);
  ++changes_[static_cast<std::size_t>(table)];
}

void LmdbWriter::erase(Table table, std::string_view key) {
  auto& cursor = at(table);
  if (cursor.seek(key) && cursor.key() == key) erase_at(cursor, table);
}

// A cursor whose entry was deleted stands before the one behind it.
bool LmdbWriter::erase_here(Table table) {
  auto& cursor = at(table);
  erase_at(cursor, table);
  return cursor.next();
}

void LmdbWriter::erase_at(LmdbCursor& cursor, Table table) {
  if (table == Table::log)
    count_purged(cursor.key(), cursor.value().size());
  else
    ++changes_[static_cast<std::size_t>(table)];
  cursor.erase();
}

std::uint64_t LmdbWriter::leaves_at_most(std::size_t table) const {
  auto leaves = leaves_changed(changes_[table]);
  if (appended_bytes_[table] != 0) leaves += leaves_filled(appended_bytes_[table], 1);
  if (table == static_cast<std::size_t>(Table::log)) leaves += 2 * leaves_filled(purged_bytes_, purged_stretches_);
  return leaves;
}

std::uint64_t LmdbWriter::pages_at_most(unsigned depth) const {
  std::uint64_t pages = 2 * (depth + 1);  // of the catalogue of tables
  for (std::size_t i = 0; i < table_count; ++i) {
    const auto leaves = leaves_at_most(i);
    if (leaves != 0) pages += leaves + 2 * std::uint64_t{depth} * (1 + changes_[i]) + leaves / leaves_a_branch_at_least;
  }
  return pages;
}

std::uint64_t LmdbWriter::pages_at_most() {
  std::uint64_t pages = table_count;
  for (std::size_t i = 0; i < table_count; ++i) {
    MDB_stat tree{};
    check(mdb_stat(transaction_, databases_[i], &tree), "looking at a table");
    const auto leaves = leaves_at_most(i);
    if (leaves == 0) continue;
    // What was changed and is left is part of the tree; what became empty serves again within the transaction.
    pages += std::min<std::uint64_t>(leaves, tree.ms_leaf_pages + tree.ms_overflow_pages + 1);
    pages += std::min<std::uint64_t>(leaves * tree.ms_depth, tree.ms_branch_pages + 1);
  }
  return pages;
}

void LmdbWriter::count_purged(std::string_view key, std::size_t bytes) {
  std::uint64_t lsn = 0;
  for (std::size_t i = 0; i < sizeof lsn; ++i) lsn = lsn << 8 | static_cast<unsigned char>(key[i]);
  if (lsn != purged_lsn_ && lsn != purged_lsn_ + 1) ++purged_stretches_;
  purged_lsn_ = lsn;
  purged_bytes_ += key.size() + bytes + entry_overhead;
}

void LmdbWriter::commit() {
  for (auto& cursor : cursors_) cursor.reset();
  check(mdb_txn_commit(std::exchange(transaction_, nullptr)), "committing");
}

}  // namespace bobbin::storage
