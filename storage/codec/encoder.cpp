#include "storage/codec/encoder.hpp"

#include <new>

namespace bobbin::storage {

Encoder::Encoder() : scratch_(std::make_unique<Scratch>()) {}
Encoder::~Encoder() = default;

std::unique_ptr<capnp::word, Encoder::Scratch::Free> Encoder::Scratch::allocate(std::size_t words) {
  auto* memory = static_cast<capnp::word*>(std::calloc(words, sizeof(capnp::word)));
  if (!memory) throw std::bad_alloc();
  return std::unique_ptr<capnp::word, Free>(memory);
}

Encoder::Buffer Encoder::Scratch::used(std::size_t body_words) {
  if (body_words * sizeof(capnp::word) > body_bytes_max) refuse_size();
  return {reinterpret_cast<std::byte*>(buffer_.get()), (headroom_words + body_words) * sizeof(capnp::word)};
}

void Encoder::Scratch::resize(std::size_t words) {
  message_.reset();
  if (words * sizeof(capnp::word) > 4 * body_bytes_max) refuse_size();
  buffer_ = allocate(words);
  size_words_ = words;
}

void Encoder::Scratch::refuse_size() {
  throw InvalidArgument("a record or row of more than " + std::to_string(body_bytes_max >> 20) +
                        " MiB cannot be stored; keep large values elsewhere and hand over a reference");
}

}  // namespace bobbin::storage
