// Opens a log as a power cut has left it, and says whether the promises hold. In a process of its own: what it opens
// may be anything.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace bobbin::drill {

// What the world outside has seen before the cut, in the order of `recorded`: the length of the recording when it was
// seen. A cut behind that length must not undo it (P1).
struct Outcome {
  enum class Kind : char {
    accepted = 'a',  // a message was acknowledged: `id` and its text
    sent = 's',      // a batch arrived at the application: its body; the decision to send it was durable
  };
  Kind kind = Kind::accepted;
  std::uint64_t recorded = 0;
  std::string id;
  std::string text;
};

// One line each; texts have no line breaks.
void append_outcomes(const std::filesystem::path& file, const std::vector<Outcome>& outcomes);
std::vector<Outcome> read_outcomes(const std::filesystem::path& file);

struct ImageOrder {
  std::filesystem::path log;       // the log's directory; it is changed
  std::filesystem::path outcomes;  // a file of them
  std::size_t seen = 0;            // so many of them came before the cut
  std::filesystem::path new_work;  // gets what was accepted here; empty: not wanted
};

inline constexpr int image_sound = 0;
inline constexpr int image_lost = 1;     // something that was seen is not in the log
inline constexpr int image_doubled = 2;  // a message is in it twice
inline constexpr int image_corrupt = 3;  // damaged, or a promise about what is in it is broken

// Recovers the log, compares, hands in new work, repeats old messages, ends, and looks at it all again. Says what is
// wrong on stdout, in one line. Answers one of the four above.
int check_image(const ImageOrder& order);

}  // namespace bobbin::drill
