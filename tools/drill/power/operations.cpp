#include "tools/drill/power/operations.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>

namespace bobbin::drill {

namespace {

std::string read_whole(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + file.string());
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string read_piece(const std::string& path, std::uint64_t offset, std::uint64_t bytes) {
  std::ifstream in(path, std::ios::binary);
  in.seekg(static_cast<std::streamoff>(offset));
  std::string piece(bytes, '\0');
  in.read(piece.data(), static_cast<std::streamsize>(bytes));
  piece.resize(static_cast<std::size_t>(std::max<std::streamsize>(in.gcount(), 0)));
  return piece;
}

}  // namespace

Operations::Operations(const std::filesystem::path& recording) : bytes_(read_whole(recording)) {
  const std::string_view bytes = bytes_;
  for (std::size_t at = 0; at + sizeof(OperationHead) <= bytes.size();) {
    Operation operation;
    std::memcpy(&operation.head, bytes.data() + at, sizeof operation.head);
    const auto& head = operation.head;
    if (head.magic != OperationHead::right_magic)
      throw std::runtime_error(recording.string() + " is no recording at byte " + std::to_string(at));
    at += sizeof head;
    const auto data_bytes = head.op == Op::write ? head.bytes : 0;
    if (at + head.path_bytes + head.other_path_bytes + data_bytes > bytes.size()) return;
    operation.path = bytes.substr(at, head.path_bytes);
    operation.other_path = bytes.substr(at += head.path_bytes, head.other_path_bytes);
    operation.data = bytes.substr(at += head.other_path_bytes, data_bytes);
    operation.end = at += data_bytes;
    all_.push_back(operation);
  }
}

std::size_t Operations::count_within(std::uint64_t length) const {
  const auto behind =
      std::upper_bound(all_.begin(), all_.end(), length,
                       [](std::uint64_t limit, const Operation& operation) { return limit < operation.end; });
  return static_cast<std::size_t>(behind - all_.begin());
}

std::uint64_t recording_length(const std::filesystem::path& recording) {
  std::error_code not_there;
  const auto size = std::filesystem::file_size(recording, not_there);
  return not_there ? 0 : size;
}

bool is_within_a_call(const std::filesystem::path& recording) {
  const auto length = recording_length(recording);
  OperationHead last;
  if (length < sizeof last) return false;
  const auto piece = read_piece(recording.string(), length - sizeof last, sizeof last);
  if (piece.size() != sizeof last) return false;
  std::memcpy(&last, piece.data(), sizeof last);
  return last.magic != OperationHead::right_magic;  // one that has returned ends with a head
}

std::size_t settle_after_kill(const std::filesystem::path& recording) {
  const Operations operations(recording);
  std::map<std::uint64_t, const Operation*> unreturned;
  std::map<std::uint64_t, std::string> files;  // written, by inode
  for (const auto& operation : operations.all()) {
    if (operation.head.op == Op::write) unreturned[operation.head.call] = &operation;
    if (operation.head.op == Op::write) files[operation.head.inode] = operation.path;
    if (operation.head.op == Op::returned) unreturned.erase(operation.head.call);
  }
  // What was being written down when the kill came, of a call that had not begun, would hide all behind it.
  std::filesystem::resize_file(recording, operations.all().empty() ? 0 : operations.all().back().end);
  std::ofstream out(recording, std::ios::binary | std::ios::app);
  std::uint64_t call = operations.all().size();  // below all of a process
  for (const auto& [number, write] : unreturned) {
    const std::string path(write->path);
    const auto piece = read_piece(path, write->head.offset, write->head.bytes);
    OperationHead cut;
    cut.call = number;
    cut.result = -1;
    out.write(reinterpret_cast<const char*>(&cut), sizeof cut);
    OperationHead seen = write->head;
    seen.call = ++call;
    seen.synchronous = 0;
    seen.bytes = piece.size();
    OperationHead end;
    end.call = call;
    end.result = static_cast<std::int64_t>(piece.size());
    out.write(reinterpret_cast<const char*>(&seen), sizeof seen) << path << piece;
    out.write(reinterpret_cast<const char*>(&end), sizeof end);
  }
  for (const auto& [inode, name] : files) {
    struct stat there {};
    if (::stat(name.c_str(), &there) != 0 || there.st_ino != inode) continue;
    OperationHead size;
    size.op = Op::size_set;
    size.inode = inode;
    size.offset = static_cast<std::uint64_t>(there.st_size);
    out.write(reinterpret_cast<const char*>(&size), sizeof size);
  }
  if (!out.flush()) throw std::runtime_error("cannot write " + recording.string());
  return unreturned.size();
}

}  // namespace bobbin::drill
