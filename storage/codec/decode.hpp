// Opens a body as a message and maps every way to fail onto the taxonomy of errors. Included by storage/codec only.
#pragma once

#include "storage/codec/label.hpp"
#include "storage/codec/wire.hpp"

#include <bobbin/error.hpp>

#include <capnp/serialize.h>

#include <string_view>

namespace bobbin::storage {

[[noreturn]] void throw_undecodable(const Label& what, std::string_view why);
// Throws Corrupt unless the body is aligned, not empty and whole words.
void check_shape(std::string_view body, const Label& what);
capnp::ReaderOptions limits_for(std::size_t body_words);

// Calls `read` with the root of `body`. A fresh reader each time: the traversal limit counts over a reader's life.
template <class Root, class Read>
auto decode(std::string_view body, const Label& what, const Read& read) {
  check_shape(body, what);
  const kj::ArrayPtr<const capnp::word> segments[] = {
      {reinterpret_cast<const capnp::word*>(body.data()), body.size() / sizeof(capnp::word)}};
  try {
    capnp::SegmentArrayMessageReader reader(segments, limits_for(segments[0].size()));
    return read(reader.getRoot<Root>());
  } catch (const kj::Exception& error) {
    throw_undecodable(what, error.getDescription().cStr());
  } catch (const wire::Impossible& impossible) {
    throw_undecodable(what, impossible.why);
  } catch (const UnsupportedFormat& error) {
    throw UnsupportedFormat(what.text() + " cannot be read: " + error.what());
  }
}

}  // namespace bobbin::storage
