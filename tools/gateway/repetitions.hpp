// The repetitions that gateway processes on one log took for what they are. The engine writes nothing for one, but the
// next life must know of it: it is the last time that its message came, and what may be repeated follows from that.
#pragma once

#include "tools/gateway/note_file.hpp"

#include <bobbin/types.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace bobbin::gateway {

struct Repetition {
  Lsn life = 0;          // its Life::first_lsn
  Duration lived{};      // so long had it lived then
  std::string dedup_id;  // of the message, of the kind that tells an occurrence

  bool operator==(const Repetition&) const = default;
};

// The file `repeated` in the data directory: a line for each, "LSN LIVED_US DEDUP_ID", in the order of time. One thread
// at a time.
class Repetitions {
 public:
  // Reads what is there. A line that makes no sense ends the list.
  explicit Repetitions(const std::filesystem::path& data_directory);

  const std::vector<Repetition>& all() const { return all_; }

  // This life begins: those that follow are its own. When the file has grown long, what is older than `matters_for` is
  // dropped. Throws std::system_error if the file cannot be opened; note() tries that again.
  void begin(Lsn life, Duration matters_for);
  // Durable on return. Throws std::system_error if they cannot be written: then none of them is noted.
  void note(const std::vector<std::string>& dedup_ids, Duration lived);

 private:
  void open();
  void drop_old(Duration lived);

  NoteFile file_;
  bool ready_ = false;
  std::vector<Repetition> all_;
  std::uint64_t size_ = 0;  // of the lines that count
  std::size_t long_;        // so many lines, or more
  Lsn life_ = 0;
  Duration matters_for_{};
};

}  // namespace bobbin::gateway
