// Golden logs under today's engine: every record is read as it was, and every instance goes on (README.md).
#include "tests/golden/host.hpp"
#include "tests/golden/workflows.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/test_options.hpp"
#include "tools/inspect/record_json.hpp"

#include <bobbin/lmdb.hpp>
#include <bobbin/verify.hpp>

#include <doctest/doctest.h>
#include <xxhash.h>

#include <cstring>
#include <fstream>
#include <set>

using namespace bobbin;
using namespace bobbin::golden;
using bobbin::testing::TemporaryDirectory;
using namespace std::chrono_literals;

namespace {

using Text = std::string;
using inspect::Json;

const std::filesystem::path format_1 = std::filesystem::path(BOBBIN_GOLDEN_LOGS) / "format-1";

// A golden log is only ever looked at in a copy: even a reader writes, to the lock file.
struct Copy {
  Copy() { std::filesystem::copy_file(format_1 / "data.mdb", path() / "data.mdb"); }
  const std::filesystem::path& path() const { return directory.path(); }
  TemporaryDirectory directory;
};

std::vector<Record> records_of(InspectionSnapshot& snapshot) {
  std::vector<Record> records;
  snapshot.scan(1, [&records](Record&& record) {
    records.push_back(std::move(record));
    return true;
  });
  return records;
}

void check_sound(const std::filesystem::path& directory) {
  const auto report = verify(*open_lmdb_read_only(directory));
  for (const auto& issue : report.issues) MESSAGE(issue.what);
  CHECK(report.ok());
}

EngineOptions as_made() {
  EngineOptions options;
  options.retention = 2h;
  options.mailbox_time_to_live = 10min;
  options.dedup_horizon = 16min;
  return options;
}

// What the log holds, by number: kinds, and members of a variant by their index.
struct Holdings {
  std::set<std::size_t> records, inputs, decisions;
  std::set<RunOutcome> outcomes;
  std::set<UnreadFate> fates;
  std::set<OperatorAct> acts;
  std::set<CodecId> codecs;
  std::size_t carried = 0, re_entered = 0, absent_payloads = 0, own_policies = 0, released = 0, backoffs = 0;
  std::size_t in_parts = 0;

  void add(const PayloadPtr& payload) {
    absent_payloads += !payload;
    if (!payload) return;
    codecs.insert(payload->codec);
    in_parts += payload->bytes.size() > 4 * 1'904;
  }
  void add(const Record& record, const Input& input) {
    inputs.insert(input.index());
    if (const auto* start = std::get_if<StartInput>(&input)) {
      add(start->input);
      carried += start->carried.size();
      backoffs += start->begins_at > record.log_time;
    } else if (const auto* event = std::get_if<EventInput>(&input)) {
      add(event->event.value);
      re_entered += event->event.position.lsn != record.lsn;
    } else if (const auto* done = std::get_if<ActivityCompleted>(&input)) {
      add(done->result);
    }
  }
  void add(const Record& record) {
    records.insert(record.body.index());
    if (const auto* accepted = std::get_if<AcceptedBody>(&record.body))
      for (const auto& input : accepted->inputs) add(record, input);
    if (const auto* act = std::get_if<OperatorActBody>(&record.body)) acts.insert(act->act);
    if (const auto* quarantine = std::get_if<QuarantineBody>(&record.body)) released += quarantine->released;
    const auto* turn = std::get_if<TurnBody>(&record.body);
    if (!turn) return;
    for (const auto& input : turn->inputs) add(record, input);
    for (const auto& decision : turn->decisions) {
      decisions.insert(decision.index());
      const auto* scheduled = std::get_if<ActivityScheduled>(&decision);
      own_policies += scheduled && !(scheduled->options.retry == RetryPolicy{});
    }
    if (!turn->end) return;
    outcomes.insert(turn->end->outcome);
    add(turn->end->result);
    for (const auto& unread : turn->end->unread) fates.insert(unread.fate);
  }
};

}  // namespace

TEST_CASE("The golden log holds every kind of record, input, decision, end, fate, act and payload") {
  const Copy log;
  const auto reader = open_lmdb_read_only(log.path());
  const auto snapshot = reader->snapshot();
  Holdings held;
  for (const auto& record : records_of(*snapshot)) held.add(record);
  CHECK(held.records.size() == std::variant_size_v<RecordBody>);
  CHECK(held.inputs.size() == std::variant_size_v<Input>);
  CHECK(held.decisions.size() == std::variant_size_v<Decision>);
  CHECK(held.outcomes.size() == 3);
  CHECK(held.fates.size() == 4);
  CHECK(held.acts.size() == 5);
  CHECK(held.codecs.size() == 4);
  CHECK(held.carried > 0);
  CHECK(held.re_entered > 0);
  CHECK(held.absent_payloads > 0);
  CHECK(held.own_policies > 0);
  CHECK(held.released == 1);
  CHECK(held.backoffs > 0);
  CHECK(held.in_parts > 0);
  CHECK(snapshot->purged_stretches().size() > 1);
  CHECK(snapshot->dedup_runs().size() > 1);
  CHECK(snapshot->info().fold_from < snapshot->info().last_lsn);  // a tail to fold
  std::set<DeadLetterState> letters;
  bool of_event = false;
  for (const auto& letter : snapshot->dead_letters({}, 100)) {
    letters.insert(letter.state);
    of_event |= !letter.is_activity;
  }
  CHECK(letters.size() == 4);
  CHECK(of_event);
}

TEST_CASE("Every record of the golden log is read as expected, every payload decoded") {
  const Copy log;
  std::ifstream file(format_1 / "expected.json");
  const auto expected = nlohmann::json::parse(file)["records"];
  const auto reader = open_lmdb_read_only(log.path());
  const auto snapshot = reader->snapshot();
  const auto records = records_of(*snapshot);
  REQUIRE(records.size() == expected.size());
  inspect::PayloadDecoder payloads(*snapshot);
  for (std::size_t i = 0; i < records.size(); ++i)
    CHECK(nlohmann::json::parse(inspect::record_json(records[i], payloads).dump()) == expected[i]);
}

TEST_CASE("The golden log is folded by today's engine, and each of its instances goes on") {
  const Copy log;
  Host host(log.path(), as_made());
  host.clock().advance(1h);  // behind what the log remembers: its own time goes on
  host.open();

  // In the tail: an activity that failed once, a window, a successor in its backoff, a redriven activity.
  const InstanceName delivering{"gather", "delivering"}, window{"gather", "open window"};
  CHECK(host.status(delivering).state.activities.at(0).failures == 1);
  CHECK(host.dead_letter({"call", "hopeless"}).state == DeadLetterState::redriving);
  host.pass(10s);
  while (host.running_activities() > 0) host.run_activity();
  CHECK(host.dead_letter({"call", "hopeless"}).state == DeadLetterState::redriven);
  CHECK(decode<Receipt>(host.status(delivering).result).number == 1);
  for (const auto* text : {"2", "3", "4", "5"}) host.event(window, "sms", sms(text));
  host.run_activity();
  CHECK(decode<Receipt>(host.status(window).result).parts == std::vector<std::int32_t>{-5, -1, -1, -1, -1});
  host.pass(1min);
  const InstanceName steps{"steps", "in the tail"};
  CHECK(host.status(steps).state.activities.empty());
  host.event(steps, "e", Text("stop"));
  CHECK(decode<Text>(host.status(steps).result) == "<first>");
  const InstanceName waits{"linger", "waits for its backoff"};
  host.event(waits, "end", Text("bye"));
  CHECK(host.status(waits).state.run_number == 3);  // what it has not read brought a start input
  CHECK(host.status(waits).state.unread.size() == 2);
  host.terminate(waits, "enough", {.discard_events = true});
  CHECK(host.status(waits).state.status == RunStatus::terminated);

  // Its code is that of its history again.
  const InstanceName quarantined{"versioned", "quarantined"};
  CHECK(!host.status(quarantined).state.quarantined);
  host.event(quarantined, "e", Text("stop"));
  CHECK(decode<Text>(host.status(quarantined).result) == "<a><in the backlog>");

  // Dedup ids in stored runs and in the tail; a mailbox whose row has parts.
  const InstanceName queue{"gather", "long queue"};
  const auto again = host.event(queue, "sms", sms("other"), {.dedup_id = "queue-3"});
  CHECK(again.how == Acceptance::duplicate);
  CHECK(host.status(queue).state.unread.size() == 61);
  CHECK(host.status(queue).state.unread.at(3).position == again.position);
  CHECK(host.event(window, "sms", sms("other"), {.dedup_id = "tail-1"}).how == Acceptance::duplicate);
  host.start(queue, Window{1h, 61});
  host.run_activity();
  CHECK(decode<Receipt>(host.status(queue).result).number == 61);

  // What purges have left, for a dead letter and for the mailbox.
  host.start({"linger", "since ever"}, Text("anew"));
  host.event({"linger", "since ever"}, "end", Text("bye"));
  CHECK(host.status({"linger", "since ever"}).state.unread.size() == 2);
  const auto older =
      host.called<std::vector<DeadLetter>>([](Engine& engine, auto done) { engine.dead_letters({}, 100, done); });
  CHECK(older.at(0).name.key == "kept");
  CHECK(decode<Capnp<Parcel>>(host.status({"ship", "1"}).result).view()->getNumber() == 2);
  for (const InstanceName& purged : {InstanceName{"race", "won"}, InstanceName{"ship", "3"}})
    CHECK_THROWS_AS(host.status(purged), NotFound);
  CHECK(host.status({"ship", "2"}).state.run_number == 1);

  for (const auto& ledger : host.ledgers()) CHECK(ledger.balanced());
  host.pass(5h);
  host.close();
  check_sound(log.path());
}

TEST_CASE("The golden log opens in an engine on its own threads, which works with it") {
  const Copy log;
  {
    Registry registry;
    register_workflows(registry, false);
    Engine engine(open_lmdb(log.path()), std::move(registry), testing::with_test_defaults(as_made()));
    const InstanceName waits{"linger", "waits for its backoff"}, next{"ship", "next"};
    CHECK(engine.raise_event(waits, "e", Text("one more")).how == Acceptance::appended);
    engine.start(next, parcel(7));
    CHECK(decode<Capnp<Parcel>>(engine.wait(next).result).view()->getNumber() == 8);
    CHECK(decode<Receipt>(engine.wait({"gather", "delivering"}).result).number == 1);
    CHECK(decode<Receipt>(engine.wait({"gather", "open window"}).result).number == 1);  // it has closed long ago
    CHECK(engine.terminate(waits, "enough", {.discard_events = true}).how == Acceptance::done);
  }
  check_sound(log.path());
}

TEST_CASE("A golden log of a newer format is refused, by its number") {
  const Copy log;
  const auto file = log.path() / "data.mdb";
  std::string bytes;
  {
    std::ifstream in(file, std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(in), {});
  }
  const auto identity = bytes.find("BOBBIN\r\n");
  REQUIRE(identity != std::string::npos);
  const std::uint32_t version = 2;
  std::memcpy(bytes.data() + identity + 8, &version, sizeof version);
  const auto checksum = XXH64(bytes.data() + identity, 48, 0);
  std::memcpy(bytes.data() + identity + 48, &checksum, sizeof checksum);
  std::ofstream(file, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  const auto message = Text(
      "the log has format 2, this version of Bobbin reads 1 and older; use the Bobbin that wrote it, or a newer one");
  CHECK_THROWS_WITH_AS(open_lmdb(log.path()), message.c_str(), UnsupportedFormat);
  CHECK_THROWS_WITH_AS(open_lmdb_read_only(log.path())->snapshot(), message.c_str(), UnsupportedFormat);
}
