// An open LMDB environment: what stores, snapshots and readers of one log share.
#pragma once

#include "storage/lmdb/ownership.hpp"
#include "storage/lmdb/transactions.hpp"

#include <bobbin/lmdb.hpp>

#include <mutex>
#include <optional>
#include <vector>

namespace bobbin::storage {

class Environment {
 public:
  // Each opens safely, in the order that storage/README.md gives. Throw as <bobbin/lmdb.hpp> says.
  static std::shared_ptr<Environment> open_to_write(const std::filesystem::path& directory, const LmdbOptions& options);
  static std::shared_ptr<Environment> open_to_read(const std::filesystem::path& directory);

  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  MDB_env* handle() const { return handle_; }
  const Databases& databases() const { return databases_; }
  const std::filesystem::path& directory() const { return directory_; }

  // Throws CorruptLog, naming the page, when LMDB's own structure is damaged: all of it, which takes as long as reading
  // the file does. At open only the first pages are looked at, the whole of a small log. Any thread.
  void check_all_pages();

  // False in a child of the process that opened it. Whatever is shared with that one is left alone there: to end a read
  // transaction, or to close, would take the parent's readers' slots from it.
  bool is_of_this_process() const noexcept;
  // Throws InvalidArgument in a child.
  void check_process() const;

  // Read transactions, reused. Any thread.
  std::unique_ptr<ReadTransaction> begin_read();
  void end_read(std::unique_ptr<ReadTransaction> transaction) noexcept;

  // Frees the slots of readers whose process has died; their snapshots would keep pages from being reused for ever.
  // Returns how many; it may be repeated when it fails.
  int clear_dead_readers() noexcept;

 private:
  explicit Environment(const std::filesystem::path& directory);
  void create_if_absent(const LmdbOptions& options);
  void allocate_lock_file();
  void open(unsigned flags, std::uint64_t map_size_bytes);
  void open_databases();
  MDB_txn* begin_checked(std::uint64_t pages_max);

  std::filesystem::path directory_;
  const pid_t process_;
  ProcessClaim claim_;
  std::optional<OwnerLock> owner_;
  MDB_env* handle_ = nullptr;
  Databases databases_{};
  std::mutex mutex_;
  std::vector<std::unique_ptr<ReadTransaction>> idle_;
};

}  // namespace bobbin::storage
