#include "tools/inspect/payload_json.hpp"

#include <capnp/compat/json.h>
#include <capnp/dynamic.h>
#include <capnp/message.h>
#include <capnp/schema-loader.h>
#include <capnp/schema.capnp.h>
#include <capnp/serialize.h>

#include <cstring>

namespace bobbin::inspect {

namespace {

kj::Array<capnp::word> aligned(const std::string& bytes) {
  auto words = kj::heapArray<capnp::word>(bytes.size() / sizeof(capnp::word));
  std::memcpy(words.begin(), bytes.data(), words.size() * sizeof(capnp::word));
  return words;
}

// A few bytes may stand for a list of half a billion empty items; nobody reads more words than are there.
capnp::ReaderOptions limits_for(const kj::Array<capnp::word>& words) {
  capnp::ReaderOptions options;
  options.traversalLimitInWords = 4 * words.size() + 64;
  return options;
}

}  // namespace

Json capnp_json(const Schema& schema, const std::string& bytes) {
  const auto schema_words = aligned(schema.text);
  capnp::FlatArrayMessageReader nodes(schema_words, limits_for(schema_words));
  capnp::SchemaLoader loader;
  for (const auto node : nodes.getRoot<capnp::schema::CodeGeneratorRequest>().getNodes()) loader.load(node);

  const auto words = aligned(bytes);
  const kj::ArrayPtr<const capnp::word> segment = words;
  capnp::SegmentArrayMessageReader message({&segment, 1}, limits_for(words));
  const auto root = message.getRoot<capnp::DynamicStruct>(loader.get(schema.type_id).asStruct());
  const capnp::JsonCodec codec;
  return Json::parse(codec.encode(root).cStr());
}

}  // namespace bobbin::inspect
