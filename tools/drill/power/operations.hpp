// A recording as the drill reads it.
#pragma once

#include "tools/drill/power/recording.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace bobbin::drill {

struct Operation {
  OperationHead head;
  std::string_view path;
  std::string_view other_path;
  std::string_view data;
  std::uint64_t end = 0;  // the recording's length with this operation
};

// Owns the bytes that its operations show.
class Operations {
 public:
  Operations() = default;
  // What is complete. Throws std::runtime_error when the file is no recording.
  explicit Operations(const std::filesystem::path& recording);

  const std::vector<Operation>& all() const { return all_; }
  // How many of them are in the recording when it has this length.
  std::size_t count_within(std::uint64_t length) const;

 private:
  std::string bytes_;
  std::vector<Operation> all_;
};

std::uint64_t recording_length(const std::filesystem::path& recording);

// Whether the last thing in the recording is a call that has not returned.
bool is_within_a_call(const std::filesystem::path& recording);

// To be called when the recorded process has been killed: a write that had not returned may have been done in part,
// which is what the next process goes on from. Looks at the files, and appends what they hold there as writes that
// nothing has made durable, and the sizes that the files have now. Answers how many such writes there were.
std::size_t settle_after_kill(const std::filesystem::path& recording);

}  // namespace bobbin::drill
