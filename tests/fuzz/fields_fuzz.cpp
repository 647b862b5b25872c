// Payloads read as plain structs: refused as an invalid argument, or read to a value that comes back as it was.
#include "tests/fuzz/input.hpp"
#include "tests/fuzz/structs.hpp"

#include <bobbin/error.hpp>

using namespace bobbin;
using bobbin::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using TreeCodec = Codec<fuzz::Tree>;
  Payload payload{CodecId::fields, TreeCodec::schema().type_id, TreeCodec::schema().hash,
                  std::string(reinterpret_cast<const char*>(data), size)};
  try {
    const auto tree = TreeCodec::decode(payload);
    const auto once = TreeCodec::encode(tree);
    require(TreeCodec::encode(TreeCodec::decode(once)).bytes == once.bytes, "a struct comes back as it was");
  } catch (const InvalidArgument&) {
  }
  return 0;
}
