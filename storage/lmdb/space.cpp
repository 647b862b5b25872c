#include "storage/lmdb/space.hpp"

#include "storage/lmdb/failure.hpp"
#include "storage/lmdb/transactions.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <limits>
#include <memory>

namespace bobbin::storage {

namespace {

// Never less is kept than this and twice the tables beside the log, as far as one commit may rewrite them: LMDB changes
// no page in place, and uses the old ones again from the next commit but one.
constexpr std::uint64_t floor_min = 1 << 20;
constexpr std::uint64_t rewritten_max = 64 << 20;
// Bytes of records and rows, as parts of pages.
constexpr std::uint64_t filled_percent = 80;
// Free pages to a page of their list.
constexpr std::uint64_t free_pages_listed = 500;
constexpr std::uint64_t piece_min = 16;
constexpr unsigned asked_for_more_every = 256;
constexpr unsigned asked_for_spare_every = 16;
constexpr unsigned depth_min = 3;

MDB_envinfo info_of(MDB_env* environment) {
  MDB_envinfo info{};
  mdb_env_info(environment, &info);
  return info;
}

std::uint64_t page_bytes_of(MDB_env* environment) {
  MDB_stat tree{};
  mdb_env_stat(environment, &tree);
  return tree.ms_psize;
}

int data_file_of(MDB_env* environment) {
  int file = -1;
  mdb_env_get_fd(environment, &file);
  return file;
}

// LMDB never uses its map's last page.
std::uint64_t limit_of(MDB_env* environment) {
  const auto page = page_bytes_of(environment);
  const auto map = info_of(environment).me_mapsize;
  return map - map % page - page;
}

// A read transaction that sees the newest commit, for as long as this lives.
class Look {
 public:
  explicit Look(MDB_env* environment) {
    if (const auto result = mdb_txn_begin(environment, nullptr, MDB_RDONLY, &transaction_); result != MDB_SUCCESS)
      throw LmdbFailure(result, "looking at the space");
  }
  ~Look() { mdb_txn_abort(transaction_); }
  Look(const Look&) = delete;
  Look& operator=(const Look&) = delete;

  MDB_stat tree(MDB_dbi database) const {
    MDB_stat tree{};
    if (const auto result = mdb_stat(transaction_, database, &tree); result != MDB_SUCCESS)
      throw LmdbFailure(result, "looking at the space");
    return tree;
  }
  MDB_txn* transaction() const { return transaction_; }

 private:
  MDB_txn* transaction_ = nullptr;
};

std::uint64_t pages_of(const MDB_stat& tree) {
  return tree.ms_branch_pages + tree.ms_leaf_pages + tree.ms_overflow_pages;
}

constexpr MDB_dbi free_list = 0;
constexpr MDB_dbi catalogue = 1;

// A line of mdb_reader_list() that tells of a snapshot: process, thread, transaction.
int note_oldest(const char* line, void* oldest) {
  unsigned long long transaction = 0;
  if (std::sscanf(line, "%*d %*x %llu", &transaction) == 1)
    *static_cast<std::uint64_t*>(oldest) = std::min<std::uint64_t>(*static_cast<std::uint64_t*>(oldest), transaction);
  return 0;
}

}  // namespace

Space::Space(Environment& environment, std::function<void(std::string_view)> log_line)
    : environment_(environment),
      page_bytes_(page_bytes_of(environment.handle())),
      reserve_(data_file_of(environment.handle()), environment.directory(), file_end(), limit_of(environment.handle()),
               std::move(log_line)) {
  measure();
}

std::uint64_t Space::file_end() const { return (info_of(environment_.handle()).me_last_pgno + 1) * page_bytes_; }

std::uint64_t Space::reserved(std::uint64_t file_end) const {
  return reserve_.end() > file_end ? reserve_.end() - file_end : 0;
}

void Space::measure() {
  const Look look(environment_.handle());
  std::uint64_t used = 2;  // meta pages
  std::uint64_t beside_log = 0;
  depth_ = depth_min;
  const auto count = [&](MDB_dbi database, bool is_log) {
    const auto tree = look.tree(database);
    depth_ = std::max(depth_, tree.ms_depth);
    used += pages_of(tree);
    if (!is_log) beside_log += pages_of(tree);
  };
  count(free_list, false);
  count(catalogue, false);
  for (std::size_t i = 0; i < table_count; ++i)
    count(environment_.databases()[i], i == static_cast<std::size_t>(Table::log));
  const auto all = file_end() / page_bytes_;
  free_pages_ = all > used ? all - used : 0;
  floor_ = floor_min + 2 * std::min(beside_log * page_bytes_, rewritten_max);
  committed_since_ = 0;
}

std::uint64_t Space::reserve(std::uint64_t bytes) {
  const auto wanted = [&] { return floor_ + (bytes / filled_percent + 1) * 100; };
  // More than wanted: a log that grows no more, as it uses freed pages again, would stay at what is just enough.
  const auto liked = [&] { return wanted() + reserve_.spare(); };
  const auto end = file_end();
  auto room = reserved(end);
  if (room < wanted() || !reserve_.is_sure()) {
    measure();
    const auto free = free_pages_ * page_bytes_;
    // Where free pages make up for what a full disk does not give, it is asked for that now and then only.
    if (room + free < wanted() || !reserve_.is_sure() || spared_++ % asked_for_more_every == 0) {
      reserve_.extend(end, end + liked());
      room = reserved(end);
    }
    if (room < wanted()) room += free;
  } else if (room < liked() && spared_++ % asked_for_spare_every == 0) {
    reserve_.extend(end, end + liked());
    room = reserved(end);
  }
  return room <= floor_ ? 0 : (room - floor_) / 100 * filled_percent;
}

bool Space::fits(LmdbWriter& writer) {
  const auto end = file_end();
  if (!reserve_.is_sure()) reserve_.extend(end, end);
  const auto fits_into = [&](std::uint64_t pages) { return pages * page_bytes_ <= reserved(end); };
  // Of the list of free pages: it is put together anew, and what the commit frees is listed in one piece.
  const auto list = [&] { return 2 * (free_pages_ + committed_since_) / free_pages_listed; };
  const auto piece = [](std::uint64_t pages) { return piece_min + pages / free_pages_listed; };
  auto pages = writer.pages_at_most(depth_);
  if (!fits_into(pages + list() + piece(pages))) {
    measure();
    pages = std::min(pages, writer.pages_at_most());
    const auto single = pages + list();
    auto needed = single + piece(pages);
    if (!fits_into(needed)) needed -= reusable_pages(single);
    if (!fits_into(needed)) reserve_.extend(end, end + needed * page_bytes_);
    if (!fits_into(needed)) return false;
  }
  committed_since_ += pages;
  return true;
}

std::uint64_t Space::entries(Table table) const {
  return Look(environment_.handle()).tree(environment_.databases()[static_cast<std::size_t>(table)]).ms_entries;
}

// Those that were freed before the oldest snapshot and the newest commit.
std::uint64_t Space::reusable_pages(std::uint64_t enough) const {
  std::uint64_t oldest = info_of(environment_.handle()).me_last_txnid;
  mdb_reader_list(environment_.handle(), note_oldest, &oldest);
  const Look look(environment_.handle());
  MDB_cursor* opened = nullptr;
  if (mdb_cursor_open(look.transaction(), free_list, &opened) != MDB_SUCCESS) return 0;
  const std::unique_ptr<MDB_cursor, void (*)(MDB_cursor*)> cursor(opened, mdb_cursor_close);
  std::uint64_t pages = 0;
  MDB_val key{}, list{};
  while (pages < enough && mdb_cursor_get(cursor.get(), &key, &list, MDB_NEXT) == MDB_SUCCESS) {
    std::uint64_t freed_by = 0, count = 0;
    std::memcpy(&freed_by, key.mv_data, sizeof freed_by);
    std::memcpy(&count, list.mv_data, sizeof count);
    if (freed_by >= oldest) break;
    pages += count;
  }
  return std::min(pages, enough);
}

}  // namespace bobbin::storage
