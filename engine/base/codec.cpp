#include <bobbin/codec.hpp>

#include <sodium.h>
#include <xxhash.h>

namespace bobbin {

void expect_codec(const Payload& payload, CodecId codec, std::uint64_t type_id, const char* type_name) {
  if (payload.codec == codec && payload.type_id == type_id) return;
  throw InvalidArgument(std::string("a payload is not ") + type_name + " (codec " +
                        std::to_string(static_cast<unsigned>(payload.codec)) + ", type " +
                        std::to_string(payload.type_id) + "): read it as the type that it was written with");
}

Schema make_schema(CodecId codec, std::uint64_t type_id, std::string name, std::string text) {
  const std::string all =
      std::to_string(static_cast<unsigned>(codec)) + " " + std::to_string(type_id) + " " + name + "\n" + text;
  return {XXH64(all.data(), all.size(), 0), codec, type_id, std::move(name), std::move(text)};
}

std::uint64_t type_id_of(const std::string& name) {
  unsigned char hash[16];
  crypto_generichash(hash, sizeof hash, reinterpret_cast<const unsigned char*>(name.data()), name.size(), nullptr, 0);
  std::uint64_t id = 0;
  for (unsigned i = 0; i < 8; ++i) id |= std::uint64_t{hash[i]} << (8 * i);
  return id;
}

}  // namespace bobbin
