#include "tools/drill/power/file_bytes.hpp"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <string>

namespace bobbin::drill {

bool all_zero(std::string_view bytes) {
  return bytes.empty() || (bytes.front() == 0 && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

FileBytes::FileBytes(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + file.string());
  std::string piece(chunk_bytes, '\0');
  while (in.read(piece.data(), chunk_bytes) || in.gcount() != 0)
    write(size_, std::string_view(piece).substr(0, static_cast<std::size_t>(in.gcount())));
}

void FileBytes::resize(std::uint64_t size) {
  if (const auto rest = size % chunk_bytes; size < size_ && rest != 0)
    put(size, std::string(std::min<std::uint64_t>(chunk_bytes - rest, size_ - size), '\0'));
  chunks_.resize((size + chunk_bytes - 1) / chunk_bytes);
  size_ = size;
}

void FileBytes::write(std::uint64_t offset, std::string_view data) {
  if (offset + data.size() > size_) resize(offset + data.size());
  while (!data.empty()) {
    const auto part = data.substr(0, chunk_bytes - offset % chunk_bytes);
    put(offset, part);
    offset += part.size();
    data.remove_prefix(part.size());
  }
}

void FileBytes::put(std::uint64_t offset, std::string_view data) {
  auto& chunk = chunks_[offset / chunk_bytes];
  if (!chunk) {
    if (all_zero(data)) return;
    chunk = std::make_shared<Chunk>();
  } else if (chunk.use_count() > 1) {
    chunk = std::make_shared<Chunk>(*chunk);
  }
  std::memcpy(chunk->data() + offset % chunk_bytes, data.data(), data.size());
}

void FileBytes::read(std::uint64_t offset, std::span<char> into) const {
  while (!into.empty()) {
    const auto part = into.first(std::min<std::size_t>(into.size(), chunk_bytes - offset % chunk_bytes));
    const auto index = offset / chunk_bytes;
    if (index < chunks_.size() && chunks_[index])
      std::memcpy(part.data(), chunks_[index]->data() + offset % chunk_bytes, part.size());
    else
      std::fill(part.begin(), part.end(), '\0');
    offset += part.size();
    into = into.subspan(part.size());
  }
}

bool FileBytes::operator==(const FileBytes& other) const {
  static constexpr Chunk zeros{};
  const auto content = [](const std::shared_ptr<Chunk>& chunk) -> const Chunk& { return chunk ? *chunk : zeros; };
  return size_ == other.size_ &&
         std::equal(chunks_.begin(), chunks_.end(), other.chunks_.begin(), [&](const auto& left, const auto& right) {
           return left == right || content(left) == content(right);
         });
}

void FileBytes::write_to(const std::filesystem::path& file) const {
  {
    std::ofstream out(file, std::ios::binary);
    for (std::size_t i = 0; i < chunks_.size(); ++i) {
      if (!chunks_[i]) continue;
      const auto offset = i * chunk_bytes;
      out.seekp(static_cast<std::streamoff>(offset));
      out.write(chunks_[i]->data(), static_cast<std::streamsize>(std::min<std::uint64_t>(chunk_bytes, size_ - offset)));
    }
    if (!out.flush()) throw std::runtime_error("cannot write " + file.string());
  }
  std::filesystem::resize_file(file, size_);
}

}  // namespace bobbin::drill
