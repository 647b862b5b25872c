// Opt-in: Cap'n Proto structs as payloads. A host that includes it links Cap'n Proto, which the package `bobbin` names.
//
//   bobbin::Capnp<Order> order([](Order::Builder order) { order.setNumber(7); });
//   engine.raise_event(name, "order", order);
//   ... ctx.wait_for_event<bobbin::Capnp<Order>>("order").value.view()->getNumber()
#pragma once

#include <bobbin/codec.hpp>

#include <capnp/message.h>
#include <capnp/schema.capnp.h>
#include <capnp/schema.h>
#include <capnp/serialize.h>
#include <kj/exception.h>

#include <cstring>
#include <map>

namespace bobbin {

// An owned, canonical message whose root is a T: equal values have equal bytes, also when the schema has grown by
// fields that are not set.
template <class T>
class Capnp {
 public:
  // `fill` sets the fields of an empty T.
  template <class F>
  explicit Capnp(F fill) {
    capnp::MallocMessageBuilder message;
    auto root = message.initRoot<T>();
    fill(root);
    words_ = capnp::canonicalize(root.asReader());
  }
  // Throws InvalidArgument for bytes that are no such message.
  static Capnp from_bytes(const std::string& bytes) {
    if (bytes.size() % sizeof(capnp::word) != 0)
      throw InvalidArgument("a Cap'n Proto payload of " + std::to_string(bytes.size()) + " bytes is cut short");
    Capnp value;
    value.words_ = kj::heapArray<capnp::word>(bytes.size() / sizeof(capnp::word));
    std::memcpy(value.words_.begin(), bytes.data(), bytes.size());
    return value;
  }
  Capnp(const Capnp& other) : words_(kj::heapArray(other.words_.asPtr())) {}
  Capnp& operator=(const Capnp& other) { return *this = Capnp(other); }
  Capnp(Capnp&&) noexcept = default;
  Capnp& operator=(Capnp&&) noexcept = default;

  std::string bytes() const {
    const auto chars = words_.asPtr().asChars();
    return {chars.begin(), chars.size()};
  }

  // For reading; valid as long as this value. Take a new one for each access: a view's traversal limit counts over its
  // whole life.
  class View {
   public:
    explicit View(kj::ArrayPtr<const capnp::word> words) : segment_(words), message_({&segment_, 1}) {}
    View(const View&) = delete;
    View& operator=(const View&) = delete;
    typename T::Reader root() { return message_.template getRoot<T>(); }
    struct Arrow {
      typename T::Reader reader;
      typename T::Reader* operator->() { return &reader; }
    };
    Arrow operator->() { return {root()}; }

   private:
    kj::ArrayPtr<const capnp::word> segment_;
    capnp::SegmentArrayMessageReader message_;
  };
  View view() const { return View(words_.asPtr()); }

 private:
  Capnp() = default;
  kj::Array<capnp::word> words_;
};

namespace detail {

using CapnpNodes = std::map<std::uint64_t, capnp::Schema>;

inline void collect(capnp::Type type, CapnpNodes& nodes);
inline void collect(capnp::StructSchema schema, CapnpNodes& nodes) {
  if (!nodes.emplace(schema.getProto().getId(), schema).second) return;
  for (const auto field : schema.getFields()) collect(field.getType(), nodes);
}
inline void collect(capnp::Type type, CapnpNodes& nodes) {
  while (type.isList()) type = type.asList().getElementType();
  if (type.isStruct())
    collect(type.asStruct(), nodes);
  else if (type.isEnum())
    nodes.emplace(type.asEnum().getProto().getId(), type.asEnum());
}

// A serialised CodeGeneratorRequest with the nodes of the struct and of all that it uses, by id.
inline std::string encode_nodes(capnp::StructSchema schema) {
  CapnpNodes nodes;
  collect(schema, nodes);
  capnp::MallocMessageBuilder message;
  auto list = message.initRoot<capnp::schema::CodeGeneratorRequest>().initNodes(static_cast<unsigned>(nodes.size()));
  unsigned index = 0;
  for (const auto& [id, node] : nodes) list.setWithCaveats(index++, node.getProto());
  const auto words = capnp::messageToFlatArray(message);
  const auto chars = words.asChars();
  return {chars.begin(), chars.size()};
}

}  // namespace detail

template <class T>
struct Codec<Capnp<T>> {
  static const Schema& schema() {
    static const Schema schema = [] {
      const auto type = capnp::Schema::from<T>();
      const auto proto = type.getProto();
      return make_schema(CodecId::capnp, proto.getId(), proto.getDisplayName().cStr(), detail::encode_nodes(type));
    }();
    return schema;
  }
  static Payload encode(const Capnp<T>& value) {
    return {CodecId::capnp, schema().type_id, schema().hash, value.bytes(), &schema()};
  }
  static Capnp<T> decode(const Payload& payload) {
    expect_codec(payload, CodecId::capnp, schema().type_id, schema().name.c_str());
    return Capnp<T>::from_bytes(payload.bytes);
  }
};

}  // namespace bobbin
