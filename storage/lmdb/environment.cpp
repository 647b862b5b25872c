#include "storage/lmdb/environment.hpp"

#include "storage/lmdb/creation.hpp"
#include "storage/lmdb/failure.hpp"
#include "storage/lmdb/files.hpp"
#include "storage/lmdb/page_check.hpp"
#include "storage/lmdb/probe.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace bobbin::storage {

namespace {

constexpr unsigned readers_max = 256;
constexpr std::uint64_t pages_checked_at_open = 1'024;
// Of a state that a writer leaves behind at once, the beginning can be gone before it is looked at.
constexpr int tries_to_check = 1'000;
constexpr std::uint64_t map_bytes_min = 1 << 20;
constexpr std::uint64_t map_bytes_max = std::uint64_t{1} << 46;
constexpr off_t lock_file_bytes = 32 << 10;  // more than that many readers take
constexpr std::size_t idle_readers_max = 8;

void say(const LmdbOptions& options, const std::string& line) {
  if (options.log_line) options.log_line(line);
}

void make_directory(const std::filesystem::path& directory, const LmdbOptions& options) {
  std::error_code unknown;  // what cannot be looked at is told by the next step
  if (!options.create || std::filesystem::exists(directory, unknown)) return;
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) throw_failure(errno, "making the directory", directory);
}

}  // namespace

std::shared_ptr<Environment> Environment::open_to_write(const std::filesystem::path& directory,
                                                        const LmdbOptions& options) {
  if (options.map_size_bytes < map_bytes_min || options.map_size_bytes > map_bytes_max)
    throw InvalidArgument("option map_size_bytes is " + std::to_string(options.map_size_bytes) + ": give " +
                          std::to_string(map_bytes_min) + " to " + std::to_string(map_bytes_max));
  make_directory(directory, options);
  std::shared_ptr<Environment> environment(new Environment(directory));
  environment->owner_.emplace(directory);
  environment->create_if_absent(options);
  environment->open(MDB_NOTLS, options.map_size_bytes);
  // What a killed process wrote may be in the page cache only; nothing may be built on it before it is on the disk.
  if (const auto result = mdb_env_sync(environment->handle_, 1); result != MDB_SUCCESS)
    throw_sync_failure(result, directory);
  if (const auto cleared = environment->clear_dead_readers(); cleared != 0)
    say(options, "cleared " + std::to_string(cleared) + " readers of dead processes from " + directory.string());
  return environment;
}

std::shared_ptr<Environment> Environment::open_to_read(const std::filesystem::path& directory) {
  std::shared_ptr<Environment> environment(new Environment(directory));
  environment->open(MDB_NOTLS | MDB_RDONLY, 0);
  return environment;
}

void Environment::create_if_absent(const LmdbOptions& options) {
  if (remove_unfinished(directory_))
    say(options, "removed an unfinished creation of a log from " + directory_.string());
  std::error_code unknown;
  const bool there = std::filesystem::exists(directory_ / data_file_name, unknown);
  if (unknown) throw_failure(unknown.value(), "opening the log in", directory_);
  if (there) return;
  if (!options.create) throw NotFound("there is no log in " + directory_.string() + "; check the path, or create one");
  create_log(directory_);
  remove_unfinished(directory_);
  say(options, "created a log in " + directory_.string());
}

// LMDB writes to it through a map: where the disk has no block for such a page, the process dies of SIGBUS.
void Environment::allocate_lock_file() {
  const auto path = directory_ / "lock.mdb";
  const FileDescriptor file(path, O_RDWR | O_CREAT);
  int result = 0;
  do {
    result = ::fallocate(file.number(), FALLOC_FL_KEEP_SIZE, 0, lock_file_bytes);
  } while (result != 0 && errno == EINTR);
  if (result != 0 && errno != EOPNOTSUPP && errno != ENOSYS) throw_failure(errno, "allocating", path);
}

void Environment::open(unsigned flags, std::uint64_t map_size_bytes) {
  probe_environment(directory_ / data_file_name);
  allocate_lock_file();
  const auto check = [this](int result) {
    if (result != MDB_SUCCESS) throw_failure(result, "opening the log in", directory_);
  };
  check(mdb_env_create(&handle_));
  check(mdb_env_set_maxdbs(handle_, table_count));
  check(mdb_env_set_maxreaders(handle_, readers_max));
  if (map_size_bytes != 0) check(mdb_env_set_mapsize(handle_, map_size_bytes));
  check(mdb_env_open(handle_, directory_.c_str(), flags, 0600));
  open_databases();
}

void Environment::open_databases() {
  auto* const transaction = begin_checked(pages_checked_at_open);
  for (std::size_t i = 0; i < table_count; ++i) {
    const auto result = mdb_dbi_open(transaction, table_names[i], 0, &databases_[i]);
    if (result == MDB_SUCCESS) continue;
    mdb_txn_abort(transaction);
    if (result != MDB_NOTFOUND) throw_failure(result, "opening the log in", directory_);
    throw CorruptLog("the log in " + directory_.string() + " has no table " + table_names[i] +
                     ": it is damaged, or no log of Bobbin; restore a backup");
  }
  mdb_txn_commit(transaction);  // makes the handles known to later transactions
}

// A read transaction over pages of which the first have been checked.
MDB_txn* Environment::begin_checked(std::uint64_t pages_max) {
  MDB_txn* transaction = nullptr;
  if (const auto result = mdb_txn_begin(handle_, nullptr, MDB_RDONLY, &transaction); result != MDB_SUCCESS)
    throw_failure(result, "opening the log in", directory_);
  const auto checked = [&] { return check_pages(directory_ / data_file_name, mdb_txn_id(transaction), pages_max); };
  try {
    for (int left = tries_to_check; !checked(); --left) {
      if (left == 0) throw Overloaded("the log in " + directory_.string() + " is written too fast to be looked at");
      mdb_txn_reset(transaction);
      if (const auto result = mdb_txn_renew(transaction); result != MDB_SUCCESS)
        throw_failure(result, "opening the log in", directory_);
    }
  } catch (...) {
    mdb_txn_abort(transaction);
    throw;
  }
  return transaction;
}

void Environment::check_all_pages() { mdb_txn_abort(begin_checked(all_pages)); }

bool Environment::is_of_this_process() const noexcept { return ::getpid() == process_; }

void Environment::check_process() const {
  if (is_of_this_process()) return;
  throw InvalidArgument("the log in " + directory_.string() + " was opened by process " + std::to_string(process_) +
                        ", and this is a child that it forked (" + std::to_string(::getpid()) +
                        "): only the process that opened a log may use it");
}

Environment::Environment(const std::filesystem::path& directory)
    : directory_(directory), process_(::getpid()), claim_(directory) {}

Environment::~Environment() {
  if (!is_of_this_process()) {
    for (auto& transaction : idle_) static_cast<void>(transaction.release());
    return;
  }
  idle_.clear();
  if (handle_) mdb_env_close(handle_);
}

std::unique_ptr<ReadTransaction> Environment::begin_read() {
  check_process();
  std::unique_ptr<ReadTransaction> transaction;
  {
    const std::scoped_lock lock(mutex_);
    if (!idle_.empty()) {
      transaction = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (!transaction) return std::make_unique<ReadTransaction>(handle_);
  transaction->renew();
  return transaction;
}

void Environment::end_read(std::unique_ptr<ReadTransaction> transaction) noexcept {
  if (!is_of_this_process()) return static_cast<void>(transaction.release());
  transaction->reset();
  const std::scoped_lock lock(mutex_);
  if (idle_.size() < idle_readers_max) idle_.push_back(std::move(transaction));
}

int Environment::clear_dead_readers() noexcept {
  int cleared = 0;
  return mdb_reader_check(handle_, &cleared) == MDB_SUCCESS ? cleared : 0;
}

}  // namespace bobbin::storage
