// A file's content in memory, cheap to copy and with room for holes: a log's file has many zeros behind its end, and an
// image of it differs from the next in a few sectors.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace bobbin::drill {

// Copies share what they have in common: use them on one thread.
class FileBytes {
 public:
  FileBytes() = default;
  // Throws std::runtime_error if it cannot be read.
  explicit FileBytes(const std::filesystem::path& file);

  std::uint64_t size() const { return size_; }
  // What is cut off is zero when it comes back.
  void resize(std::uint64_t size);
  // Makes it longer where that is needed.
  void write(std::uint64_t offset, std::string_view data);
  // Zeros behind the end.
  void read(std::uint64_t offset, std::span<char> into) const;
  bool operator==(const FileBytes& other) const;
  // Throws std::runtime_error if it cannot be written.
  void write_to(const std::filesystem::path& file) const;

 private:
  static constexpr std::size_t chunk_bytes = 32 << 10;
  using Chunk = std::array<char, chunk_bytes>;

  void put(std::uint64_t offset, std::string_view data);  // within one chunk

  std::vector<std::shared_ptr<Chunk>> chunks_;  // none: zeros
  std::uint64_t size_ = 0;
};

bool all_zero(std::string_view bytes);

}  // namespace bobbin::drill
