// Writes the seed corpora: real values of every kind, in the layout that the targets read.
//
// Usage: fuzz-seeds FOLDER. Files that other names have been given, such as inputs that broke a target once, are left
// alone.
#include "storage/codec/codec.hpp"
#include "storage/log/keys.hpp"
#include "storage/log/table.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/fuzz/structs.hpp"
#include "tests/host/order.capnp.h"
#include "tests/storage/generate.hpp"
#include "tools/smpp/encode.hpp"

#include <bobbin/capnp.hpp>

#include <filesystem>
#include <fstream>
#include <iostream>

using namespace bobbin;
using fuzz::Seed;

namespace {

class Corpus {
 public:
  Corpus(const std::filesystem::path& root, const std::string& name) : folder_(root / name) {
    std::filesystem::create_directories(folder_);
  }
  void add(std::string_view bytes) {
    std::ofstream out(folder_ / ("seed-" + std::to_string(count_++)), std::ios::binary);
    out << bytes;
  }

 private:
  std::filesystem::path folder_;
  int count_ = 0;
};

std::string body_of(storage::Encoder::Buffer buffer) {
  return std::string(reinterpret_cast<const char*>(buffer.data()), buffer.size()).substr(storage::Encoder::headroom);
}

void write_records(Corpus corpus) {
  storage::Encoder encoder;
  test::Generator generate(1);
  const auto add = [&](std::uint8_t kind, storage::Encoder::Buffer buffer) {
    const auto body = body_of(buffer);
    if (body.size() < 3000) corpus.add(Seed().number(kind).rest(body).bytes());
  };
  for (std::size_t i = 0; i < 3 * std::variant_size_v<RecordBody>; ++i)
    add(0, encoder.encode(generate.record(1000, i % std::variant_size_v<RecordBody>)));
  for (int i = 0; i < 4; ++i) {
    add(1, encoder.encode(generate.instance(9), generate.time()));
    add(2, encoder.encode(generate.ledger(9)));
    add(3, encoder.encode(generate.dead_letter(9)));
    add(4, encoder.encode(generate.schema()));
  }
  add(5, encoder.encode(storage::LogStateRow{{7, generate.time(), generate.elapsed(), 3, generate.id()}, 5}));
  add(6, encoder.encode(DedupRun{3, 4, 5, Elapsed(6)}));
}

void write_parts(Corpus corpus) {
  const auto u8 = [](int number) { return static_cast<std::uint8_t>(number); };
  const std::string part(1904, 'p');
  for (int table = 0; table < 2; ++table) {
    std::string framed(table == 0 ? 32 : 16, '\0');
    framed[9] = 8;  // a body of 2048 bytes
    corpus.add(Seed()
                   .number(u8(table))
                   .number(u8(0))
                   .text(framed + part.substr(framed.size()))
                   .number(u8(1))
                   .text(part.substr(0, 2048 + framed.size() - 1904))
                   .number(u8(200))
                   .text("any value")
                   .text("any key of the table")
                   .bytes());
    for (int act = 0; act < 4; ++act)
      corpus.add(Seed()
                     .number(u8(2 + table))
                     .number(std::uint16_t{5000})
                     .text("a pattern")
                     .number(u8(act))
                     .number(u8(1))
                     .number(std::uint16_t{900})
                     .number(u8(4))
                     .bytes());
  }
}

std::string bytes_of(const storage::Key& key) { return std::string(key.view()); }

void write_logs(Corpus corpus) {
  using namespace storage;
  Encoder encoder;
  test::Generator generate(2);
  const auto entry = [](Seed& seed, Table table, const Key& key, const std::string& body) {
    seed.number(static_cast<std::uint8_t>(table)).number(std::uint8_t{1}).text(bytes_of(key)).text(body);
  };
  Seed sound;
  for (Lsn lsn = 1; lsn <= 3; ++lsn)
    entry(sound, Table::log, log_key(lsn), body_of(encoder.encode(test::plain_turn(lsn, 40))));
  InstanceState state;
  state.lsn = 1;
  state.name = {"o", "1"};
  state.id = instance_id(state.name);
  state.status = RunStatus::running;
  state.timers = {{1, LogTime{}}};
  entry(sound, Table::instances, instance_key(state.id), body_of(encoder.encode(state, LogTime{})));
  entry(sound, Table::due, due_key({LogTime{}, state.id}), {});
  entry(sound, Table::ledgers, ledger_key("o"), body_of(encoder.encode(Ledger{1, "o", 5, 1, 1, 1, 1, 1, 0})));
  entry(sound, Table::meta, Key().add_raw(state_key),
        body_of(encoder.encode(LogStateRow{{3, LogTime{}, Elapsed{}, 1, {}}, 1})));
  corpus.add(sound.bytes());
  Seed rows;
  entry(rows, Table::log, log_key(9), body_of(encoder.encode(generate.record(9))));
  entry(rows, Table::gaps, gap_key(1), std::string(64, '\0'));
  entry(rows, Table::dead_letters, dead_letter_key({4, 1}), body_of(encoder.encode(generate.dead_letter(9))));
  entry(rows, Table::schemas, schema_key(1), body_of(encoder.encode(generate.schema())));
  entry(rows, Table::dedup_runs, dedup_run_key(3), body_of(encoder.encode(DedupRun{3, 2, 5, Elapsed(6)})));
  entry(rows, Table::dedup_chunks, dedup_chunk_key(3, {}), std::string(96, '\0'));
  rows.number(static_cast<std::uint8_t>(Table::log)).number(std::uint8_t{0}).text("a key of the log").text("a value");
  corpus.add(rows.bytes());
}

void write_smpp(Corpus corpus) {
  using namespace smpp;
  const auto add = [&](const std::string& stream) {
    corpus.add(Seed().number(std::uint16_t{2000}).number(std::uint8_t{7}).rest(stream).bytes());
  };
  std::string all;
  append_bind(all, Command::bind_transceiver, 1, {"esme", "secret", "", 0x34, 0, 0, ""});
  append_bind_resp(all, Command::bind_transceiver_resp, Status::ok, 1, "bobbin");
  append_header_only(all, Command::enquire_link, Status::ok, 2);
  add(all);
  SubmitSm submit;
  submit.source = {1, 1, "491701234567"};
  submit.destination = {5, 0, "BANK"};
  submit.short_message = "Hello @ \x1b\x65 world";
  submit.user_message_reference = 77;
  for (const auto coding : {0, 1, 3, 4, 8}) {
    submit.data_coding = static_cast<std::uint8_t>(coding);
    std::string pdu;
    append_submit_sm(pdu, 3, submit);
    append_submit_sm_resp(pdu, Status::ok, 3, "id-1");
    add(pdu);
    all += pdu;
  }
  submit.esm_class = esm_class_udh;
  submit.short_message = std::string_view("\x05\x00\x03\x42\x02\x01part one", 14);
  std::string udh;
  append_submit_sm(udh, 4, submit);
  add(udh);
  submit.esm_class = 0;
  submit.short_message = {};
  submit.message_payload = "a longer message";
  submit.sar_reference = 9;
  submit.sar_total = 3;
  submit.sar_index = 2;
  submit.validity_period = "000000010000000R";
  std::string sar;
  append_submit_sm(sar, 5, submit);
  add(sar);
  add(all + udh + sar);
}

void write_sms_bodies(Corpus corpus) {
  for (const auto* body :
       {R"({"from":"+491701234567","to":"BANK","text":"Gr\u00fc\u00dfe \ud83d\ude00","message_id":"a-1"})",
        R"({"from":"1","to":"2","text":"x"})", R"({"from":"1","to":"2","text":"x","from":"3"})",
        R"({"from":1.5e3,"to":null,"text":[true,{"a":-1}]})", "[]", R"({"from":"1","to":"2","text":"x","other":0})"})
    corpus.add(body);
}

void write_http(Corpus corpus) {
  const auto add = [&](std::string_view bytes) { corpus.add(Seed().number(std::uint8_t{6}).rest(bytes).bytes()); };
  add("POST /sms HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer t\r\nContent-Length: 4\r\n\r\nbody");
  add("GET /status?all=1 HTTP/1.1\r\nHost: a\r\n\r\nHEAD / HTTP/1.1\r\n\r\n");
  add("POST /sms HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4;x=y\r\nbody\r\n0\r\nTrailer: t\r\n\r\n");
  add("POST /sms HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nab");
  add("POST /sms HTTP/1.1\r\nContent-Length: 99999\r\n\r\nab");
  add("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.1\r\nConnection: close\r\n\r\nGET");
  add("GET / HTTP/1.1\r\nA: " + std::string(1100, 'a') + "\r\n\r\n");
}

void write_configs(Corpus corpus) {
  std::ifstream example(BOBBIN_SOURCE_ROOT "/tools/gateway/gateway.example.toml");
  corpus.add(std::string(std::istreambuf_iterator<char>(example), {}));
  const std::string needed =
      "data_directory = \"d\"\n[admin]\ntoken = \"0123456789abcdef\"\n[delivery]\nurl = \"http://h/\"\n"
      "secret = \"0123456789abcdef\"\n";
  const std::string http = "[http]\nport = 0\n[[http.clients]]\nname = \"n\"\ntoken = \"0123456789abcdef\"\n";
  corpus.add(needed + http);
  corpus.add(needed + "[delivery.retry]\nfactor = 1.5\njitter = inf\ncap = \"1d\"\n" + http);
  corpus.add("smpp = {accounts = [{system_id = \"a\", password = 'b'}], window = 0x10}\n" + needed);
  corpus.add(needed + "[window]\nlength = \"5m\"\nmesages_max = 7\n[engine]\nfibers_max = 10\n" + http);
}

fuzz::Tree tree() {
  fuzz::Tree tree;
  tree.flag = true;
  tree.count = 300;
  tree.offset = -5;
  tree.share = 0.25;
  tree.at = LogTime(Duration(1'700'000'000'000'000));
  tree.length = Duration(-1);
  tree.colour = fuzz::Colour::green;
  tree.note = "a note";
  tree.numbers = {1, 200, 70'000};
  tree.leaves = {{"one", 1}, {"\xff", -2}};
  tree.best = fuzz::Leaf{"best", 3};
  return tree;
}

void write_fields(Corpus corpus) {
  corpus.add(Codec<fuzz::Tree>::encode(tree()).bytes);
  corpus.add(Codec<fuzz::Tree>::encode({}).bytes);
}

void write_payloads(Corpus corpus) {
  const auto add = [&](const Payload& payload, const Schema& schema) {
    corpus.add(Seed()
                   .number(static_cast<std::uint8_t>(payload.codec))
                   .number(schema.type_id)
                   .text(schema.name)
                   .text(schema.text)
                   .rest(payload.bytes)
                   .bytes());
  };
  add(Codec<fuzz::Tree>::encode(tree()), Codec<fuzz::Tree>::schema());
  add({CodecId::bytes, 0, 0, "plain text", nullptr}, {});
  add({CodecId::bytes, 0, 0, "\x01\xff", nullptr}, {});
  const Capnp<Order> order([](Order::Builder builder) {
    builder.setNumber(7);
    builder.setUrgency(Urgency::EXPRESS);
    auto items = builder.initItems(2);
    items[0].setArticle("pen");
    items[1].setCount(3);
  });
  add(Codec<Capnp<Order>>::encode(order), Codec<Capnp<Order>>::schema());
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "usage: fuzz-seeds FOLDER\n";
    return 2;
  }
  const std::filesystem::path root = arguments[1];
  write_records({root, "record"});
  write_parts({root, "parts"});
  write_logs({root, "log"});
  write_smpp({root, "smpp"});
  write_sms_bodies({root, "sms_body"});
  write_http({root, "http"});
  write_configs({root, "config"});
  write_fields({root, "fields"});
  write_payloads({root, "payload"});
  return 0;
}
