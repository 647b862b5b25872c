// Payloads as `bobbin show` decodes them by a stored schema, both hostile: always JSON that can be printed, whatever
// they hold.
#include "tests/fuzz/input.hpp"
#include "tests/support/one_schema.hpp"
#include "tools/inspect/payload_json.hpp"

#include <bobbin/error.hpp>

using namespace bobbin;
using bobbin::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const auto codec = static_cast<CodecId>(input.number<std::uint8_t>() % 5);
  Schema schema{1, codec, input.number<std::uint64_t>(), std::string(input.text()), std::string(input.text())};
  const auto payload = std::make_shared<const Payload>(Payload{codec, schema.type_id, 1, std::string(input.rest())});
  testing::OneSchema snapshot(std::move(schema));
  inspect::PayloadDecoder decoder(snapshot);
  require(!decoder.decode(payload).dump().empty(), "a payload is shown as JSON");
  return 0;
}
