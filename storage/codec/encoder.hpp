// The reused buffer behind Encoder. Included by storage/codec only.
#pragma once

#include "storage/codec/codec.hpp"

#include <capnp/message.h>

#include <cstdlib>
#include <optional>

namespace bobbin::storage {

// Builds one message at a time in a buffer that is large enough for a single segment. The buffer's tail is zero between
// messages, as Cap'n Proto demands: the builder clears what it used when it is destroyed.
class Encoder::Scratch {
 public:
  // `build` fills the root of a message; it runs again with a larger buffer when the value did not fit.
  template <class Root, class Build>
  Buffer encode(const Build& build) {
    if (size_words_ > kept_words_max) resize(initial_words);
    for (;;) {
      message_.emplace(segment());
      build(message_->initRoot<Root>());
      const auto segments = message_->getSegmentsForOutput();
      if (segments.size() == 1 && segments[0].begin() == segment().begin()) return used(segments[0].size());
      resize(size_words_ * 4);
    }
  }

 private:
  static constexpr std::size_t initial_words = 2048;
  static constexpr std::size_t kept_words_max = 128 * 1024;  // one huge value does not keep its memory
  static constexpr std::size_t headroom_words = headroom / sizeof(capnp::word);
  struct Free {
    void operator()(capnp::word* words) const { std::free(words); }
  };

  kj::ArrayPtr<capnp::word> segment() { return {buffer_.get() + headroom_words, size_words_ - headroom_words}; }
  Buffer used(std::size_t body_words);
  void resize(std::size_t words);
  [[noreturn]] static void refuse_size();
  static std::unique_ptr<capnp::word, Free> allocate(std::size_t words);

  std::size_t size_words_ = initial_words;
  std::unique_ptr<capnp::word, Free> buffer_ = allocate(size_words_);
  std::optional<capnp::MallocMessageBuilder> message_;
};

}  // namespace bobbin::storage
