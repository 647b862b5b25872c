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

// The loader names what it is about to check whenever a check fails. A name that cannot be read would fail again there,
// for ever: so each is read here first.
void read_names(capnp::schema::Node::Reader node) {
  node.getDisplayName();
  if (node.isStruct())
    for (const auto field : node.getStruct().getFields()) field.getName();
  if (node.isEnum())
    for (const auto enumerant : node.getEnum().getEnumerants()) enumerant.getName();
  if (node.isInterface())
    for (const auto method : node.getInterface().getMethods()) method.getName();
}

}  // namespace

Json capnp_json(const Schema& schema, const std::string& bytes) {
  const auto schema_words = aligned(schema.text);
  capnp::FlatArrayMessageReader nodes(schema_words, limits_for(schema_words));
  // A copy: reading the original counts towards its limit, which must not be reached within the loader.
  capnp::MallocMessageBuilder copy;
  copy.setRoot(nodes.getRoot<capnp::schema::CodeGeneratorRequest>());
  capnp::SchemaLoader loader;
  for (const auto node : copy.getRoot<capnp::schema::CodeGeneratorRequest>().asReader().getNodes()) {
    read_names(node);
    loader.load(node);
  }

  const auto words = aligned(bytes);
  const kj::ArrayPtr<const capnp::word> segment = words;
  capnp::SegmentArrayMessageReader message({&segment, 1}, limits_for(words));
  const auto root = message.getRoot<capnp::DynamicStruct>(loader.get(schema.type_id).asStruct());
  const capnp::JsonCodec codec;
  return Json::parse(codec.encode(root).cStr());
}

}  // namespace bobbin::inspect
