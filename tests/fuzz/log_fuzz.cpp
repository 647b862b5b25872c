// A whole log whose tables hold what nobody wrote, under checksums that hold or do not: every read answers or refuses,
// and verify reports it all.
#include "storage/codec/codec.hpp"
#include "storage/log/frame.hpp"
#include "storage/log/gaps.hpp"
#include "storage/log/snapshot.hpp"
#include "storage/memory/tables.hpp"
#include "tests/fuzz/input.hpp"

#include <bobbin/error.hpp>
#include <bobbin/verify.hpp>

using namespace bobbin;
using namespace bobbin::storage;
using bobbin::fuzz::require;

namespace {

constexpr std::size_t whole_key_bytes_max = 504;  // LMDB's own limit, in whole words

template <class Read>
void refused_or(const Read& read) {
  try {
    read();
  } catch (const Error& error) {
    require(error.code() == ErrorCode::corrupt || error.code() == ErrorCode::unsupported_format,
            "a read refuses as corrupt or of another format");
  }
}

std::string whole_words(std::string_view bytes, std::size_t bytes_max) {
  std::string padded(bytes.substr(0, bytes_max));
  padded.resize((padded.size() + 7) / 8 * 8);
  return padded;
}

bool in_parts(Table table) {
  return table == Table::log || table == Table::instances || table == Table::ledgers || table == Table::dead_letters ||
         table == Table::schemas;
}

// Puts in entries as the input says. Sealed ones pass their checksums, and records are chained to the one before.
class Filler {
 public:
  explicit Filler(MemoryWriter& writer) : writer_(writer) {}

  void put(fuzz::Input& input) {
    const auto table = static_cast<Table>(input.number<std::uint8_t>() % table_count);
    const bool sealed = input.number<std::uint8_t>() % 4 != 0;
    const auto key = whole_words(input.text(), whole_key_bytes_max);
    const auto body = whole_words(input.text(), 6000);
    if (key.empty()) return;
    if (!sealed || key.size() > 136)
      writer_.put(table, key, body);
    else
      put_sealed(table, key, body);
  }

 private:
  void put_sealed(Table table, const std::string& key, const std::string& body) {
    if (table == Table::due) {
      const auto checksum = checksum_of(key);
      writer_.put(table, key, {reinterpret_cast<const char*>(&checksum), sizeof checksum});
    } else if (table == Table::gaps) {
      const auto first = number_at(key, 0);
      refused_or([&] { add_gap(writer_, {first, first + body.size() / 8, last_checksum_}); });
    } else if (in_parts(table)) {
      replace_parts(writer_, table, Key().add_raw(key), framed(table, key, body));
    } else {
      writer_.put(table, key, framed(table, key, body));
    }
  }

  std::string framed(Table table, const std::string& key, const std::string& body) {
    std::string bytes((table == Table::log ? sizeof(RecordFrame) : sizeof(RowFrame)) + body.size(), '\0');
    std::copy(body.begin(), body.end(), bytes.end() - static_cast<std::ptrdiff_t>(body.size()));
    const std::span span(reinterpret_cast<std::byte*>(bytes.data()), bytes.size());
    if (table == Table::log)
      last_checksum_ = seal_record(span, number_at(key, 0), last_checksum_);
    else
      seal_row(span, key);
    return bytes;
  }

  MemoryWriter& writer_;
  std::uint64_t last_checksum_ = 0;
};

void read_all(TableSnapshot& snapshot) {
  refused_or([&] { snapshot.info(); });
  refused_or([&] { snapshot.checked_tail(3); });
  refused_or([&] { snapshot.scan(1, [](Record&&) { return true; }); });
  refused_or([&] { snapshot.instances({}, 100); });
  refused_or([&] { snapshot.due({}, 100); });
  refused_or([&] { snapshot.ledgers(); });
  refused_or([&] { snapshot.dead_letters({}, 100); });
  refused_or([&] { snapshot.schema(1); });
  refused_or([&] { snapshot.purged_stretches(); });
  refused_or([&] {
    for (const auto& run : snapshot.dedup_runs()) {
      refused_or([&] { snapshot.dedup_hashes(run.run, {}, 100); });
      refused_or([&] { snapshot.find_dedup(run.run, Id128{}); });
      refused_or([&] { snapshot.scan_dedup_run(run.run, [](const DedupEntry&) {}); });
    }
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const auto tables = std::make_shared<VersionedTables>();
  {
    MemoryWriter writer(tables);
    write_identity(writer, {});
    Filler filler(writer);
    while (!input.empty()) filler.put(input);
    writer.commit();
  }
  TableSnapshot snapshot(std::make_unique<MemoryReader>(tables));
  read_all(snapshot);
  try {
    verify(snapshot);
  } catch (const UnsupportedFormat&) {
  }
  return 0;
}
