// The lives of gateway processes on one log: where in it each began and how long it lasted. A process that is killed
// can say nothing at its end, so it notes again and again that it lives on.
#pragma once

#include "tools/gateway/note_file.hpp"

#include <bobbin/record.hpp>

#include <chrono>
#include <filesystem>
#include <optional>
#include <vector>

namespace bobbin::gateway {

struct Life {
  Lsn first_lsn = 0;  // of the record that it opened the log with, or would have
  Elapsed began{};    // elapsed time then (S4): the record itself may be purged in a long life
  Duration lived{};   // since that record was durable, by the clock that elapsed time follows; at least this long

  bool operator==(const Life&) const = default;
};

// The lives to remember when one begins on a log that ends with `last` (null: it is empty), in the order of time, that
// one last. One that wrote nothing is replaced. What lies before a life of `long_enough` matters no longer.
std::vector<Life> with_new_life(std::vector<Life> lives, const Record* last, Duration long_enough);

// The file `alive` in the data directory: a line for each life, "LSN BEGAN_US LIVED_US", in the order of time. A life's
// beginning is on the disk before the life writes to the log, how long it lasted at most some seconds later: after a
// power cut it may look shorter than it was. One thread at a time.
class Lives {
 public:
  // Reads what is there. A line that makes no sense ends the list.
  explicit Lives(const std::filesystem::path& data_directory);

  // The lives before this one.
  const std::vector<Life>& earlier() const { return earlier_; }

  // To be called before this life writes to the log, which ends with `last` (null: it is empty). Throws
  // std::system_error if the file cannot be written: then the next life knows less of what may be repeated.
  void begin(const Record* last, Duration long_enough);
  // This life goes on; the first call says that its first record is durable. Throws like begin().
  void beat();

  // Of this life, once it has begun.
  Lsn first_lsn() const { return noted_.back().first_lsn; }
  Duration lived() const;

  static constexpr std::chrono::milliseconds interval{100};

 private:
  void write();

  NoteFile file_;
  std::vector<Life> earlier_;
  std::vector<Life> noted_;             // what the file says; this life is the last
  std::optional<Duration> first_beat_;  // CLOCK_BOOTTIME
  unsigned beats_ = 0;
};

}  // namespace bobbin::gateway
