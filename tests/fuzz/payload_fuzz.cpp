// Payloads as `bobbin show` decodes them by a stored schema, both hostile: always JSON that can be printed, whatever
// they hold.
#include "tests/fuzz/input.hpp"
#include "tools/inspect/payload_json.hpp"

#include <bobbin/error.hpp>

using namespace bobbin;
using bobbin::fuzz::require;

namespace {

// Holds one schema and nothing else.
class OneSchema final : public Snapshot {
 public:
  explicit OneSchema(Schema schema) : schema_(std::move(schema)) {}
  std::optional<Record> record(Lsn) override { return {}; }
  void scan(Lsn, const std::function<bool(Record&&)>&) override {}
  std::optional<InstanceState> instance(const InstanceId&) override { return {}; }
  std::vector<InstanceState> instances(const std::optional<InstanceId>&, std::size_t) override { return {}; }
  std::vector<DueEntry> due(const std::optional<DueEntry>&, std::size_t) override { return {}; }
  std::vector<Ledger> ledgers() override { return {}; }
  std::vector<DeadLetter> dead_letters(Position, std::size_t) override { return {}; }
  std::optional<DeadLetter> dead_letter(Position) override { return {}; }
  std::optional<Schema> schema(std::uint64_t hash) override {
    return hash == 1 ? std::optional(schema_) : std::nullopt;
  }
  std::vector<DedupRun> dedup_runs() override { return {}; }
  std::vector<Id128> dedup_hashes(std::uint64_t, const std::optional<Id128>&, std::size_t) override { return {}; }
  std::optional<DedupEntry> find_dedup(std::uint64_t, const Id128&) override { return {}; }

 private:
  Schema schema_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const auto codec = static_cast<CodecId>(input.number<std::uint8_t>() % 5);
  Schema schema{1, codec, input.number<std::uint64_t>(), std::string(input.text()), std::string(input.text())};
  const auto payload = std::make_shared<const Payload>(Payload{codec, schema.type_id, 1, std::string(input.rest())});
  OneSchema snapshot(std::move(schema));
  inspect::PayloadDecoder decoder(snapshot);
  require(!decoder.decode(payload).dump().empty(), "a payload is shown as JSON");
  return 0;
}
