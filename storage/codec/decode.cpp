#include "storage/codec/decode.hpp"

namespace bobbin::storage {

void throw_undecodable(const Label& what, std::string_view why) {
  throw Corrupt(what.text() + " cannot be decoded: " + std::string(why.substr(0, why.find('\n'))) +
                "; restore a backup");
}

void check_shape(std::string_view body, const Label& what) {
  if (body.empty() || body.size() % sizeof(capnp::word) != 0)
    throw_undecodable(what, "its size is " + std::to_string(body.size()) + " bytes, not whole words");
  if (reinterpret_cast<std::uintptr_t>(body.data()) % alignof(std::uint64_t) != 0)
    throw_undecodable(what, "its bytes are not aligned");
}

capnp::ReaderOptions limits_for(std::size_t body_words) {
  capnp::ReaderOptions options;
  options.traversalLimitInWords = 2 * body_words + 64;  // presence tests and empty structs count a little, too
  options.nestingLimit = 16;
  return options;
}

}  // namespace bobbin::storage
