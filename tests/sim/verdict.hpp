// What a simulated seed leaves behind: the promise it saw broken, if any, and a hash of all that happened.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bobbin::sim {

// The first broken promise counts; what follows it is only its consequence.
class Verdict {
 public:
  void broken(std::string what) {
    if (what_.empty()) what_ = std::move(what);
  }
  bool kept() const { return what_.empty(); }
  const std::string& what() const { return what_; }

 private:
  std::string what_;
};

// A running hash (FNV-1a over words): equal when the same happened in the same order.
class Trace {
 public:
  void add(std::uint64_t value) { hash_ = (hash_ ^ value) * 0x100000001b3 ^ (hash_ >> 29); }
  void add(std::string_view text) {
    std::uint64_t word = text.size();
    for (const char byte : text) word = (word ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
    add(word);
  }
  std::uint64_t hash() const { return hash_; }

 private:
  std::uint64_t hash_ = 0xcbf29ce484222325;
};

}  // namespace bobbin::sim
