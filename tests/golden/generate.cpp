// Makes the golden log of this version's format, through the public engine: generate DIRECTORY, which gets a compact
// data.mdb. Not run by any test: make.py runs it, once for each format.
#include "tests/golden/host.hpp"
#include "tests/golden/workflows.hpp"
#include "tests/support/temporary_directory.hpp"

#include <lmdb.h>

#include <cstdio>

using namespace bobbin;
using namespace bobbin::golden;
using namespace std::chrono_literals;

namespace {

using Text = std::string;

EngineOptions options() {
  EngineOptions options;
  options.retention = 2h;
  options.mailbox_time_to_live = 10min;
  options.dedup_horizon = 16min;
  options.failure_backoff_first = 30s;
  options.checkpoint_age_records = 4;
  return options;
}

InstanceName numbered(const Text& orchestrator, int number) { return {orchestrator, std::to_string(number)}; }

// Records that have nothing to do with any other: rows are written behind them.
void move_on(Host& host, int first, int count) {
  for (int i = 0; i < count; ++i) host.start(numbered("linger", first + i), Text("filler"));
  for (int i = 0; i < count; ++i) host.event(numbered("linger", first + i), "end", Text("bye"));
}

// History that is purged in the end but for what is still needed.
void make_old_history(Host& host) {
  host.open();
  host.start({"nap", "early"}, Nothing{});
  host.event_with_start({"gather", "purged"}, Window{1min, 2}, "sms", sms("one"), {.dedup_id = "purged-1"});
  host.start({"linger", "since ever"}, Text("live"));
  host.event({"linger", "since ever"}, "e", Text("unread, its record is kept"));
  host.event({"gather", "purged"}, "sms", sms("three"));
  host.run_activity();
  host.start({"call", "kept"}, Text("to redrive"));
  host.event({"call", "kept"}, "go", Text());
  host.fail_activity("Broken", "kept for an operator");
  move_on(host, 100, 3);
  host.start({"call", "dismissed"}, Text("to discard"));
  host.event({"call", "dismissed"}, "go", Text());
  host.fail_activity("Broken", "never mind");
  host.discard(host.dead_letter({"call", "dismissed"}).position, {.dedup_id = "act-1", .note = "nobody wants it"});
  move_on(host, 110, 3);
  for (int i = 0; i < 8; ++i) {
    host.pass(30min);
    move_on(host, 120 + 2 * i, 1);
  }
}

void gather_some(Host& host) {
  // The window's timer fires.
  host.event_with_start({"gather", "anna"}, Window{1min, 9}, "sms", sms("hello"), {.dedup_id = "anna-1"});
  host.event({"gather", "anna"}, "sms", sms("again"), {.dedup_id = "anna-2"});
  host.event({"gather", "anna"}, "sms", sms("again"), {.dedup_id = "anna-2"});
  host.pass(1min);
  host.fail_activity("Busy", "try later");
  host.pass(10s);
  host.run_activity();
  // It is full before; its delivery is refused.
  host.start({"gather", "otto"}, Window{1h, 1}, {.dedup_id = "otto-start"});
  host.start({"gather", "otto"}, Window{2h, 7}, {.dedup_id = "otto-again"});  // uses the live run: remembered
  host.event({"gather", "otto"}, "sms", sms("full"));
  host.fail_activity("Refused", "a type that is not tried again");
  // Another run of the same instance.
  host.event_with_start({"gather", "anna"}, Window{1min, 1}, "sms", sms("second run"), {.dedup_id = "anna-3"});
  host.run_activity();
}

void ship_some(Host& host) {
  for (const auto number : {0, 1, 2, 3}) {
    host.start(numbered("ship", number), parcel(static_cast<std::uint64_t>(number)));
    if (number == 1) {
      host.fail_activity("Jam", "the stamp is stuck");
      host.pass(2s);
    }
    host.run_activity();
  }
  // Keys and values that are no text, and values in parts.
  const InstanceName binary{"race", Text("\x00\xff\x10key", 6)};
  host.start(binary, Text("\xfe\xff"));
  host.event(binary, "stop", Text(9'000, 'x') + "\n\t\xe2\x82\xac");
  host.start({"race", "won"}, Text());
  host.run_activity();  // of the first, cancelled: its result is late
  host.run_activity();
  host.start({"nap", "n\xc3\xa4p"}, Nothing{});
  host.pass(1s);
}

void end_in_all_ways(Host& host) {
  const InstanceName failing{"linger", "failing"};
  host.start(failing, Text("first"));
  host.event(failing, "e", Text("carried"), {.dedup_id = "carried"});
  host.event_with_start(failing, Text("second"), "e", Text("brings a start"));
  host.event(failing, "end", Text("fail"));  // its successor waits for its backoff, and takes in meanwhile:
  host.event(failing, "e", Text("during the backoff"));
  host.pass(1min);
  host.event(failing, "end", Text("well"));
  host.terminate(failing, "enough", {.dedup_id = "stop", .discard_events = true});

  const InstanceName mailbox{"linger", "mailbox"};
  host.event(mailbox, "e", Text("before any run"));
  host.start(mailbox, Text("takes the mailbox over"));
  host.event(mailbox, "e", Text("unread at the end"));
  host.event(mailbox, "end", Text("bye"));
  host.start(mailbox, Text("to be replaced"));
  host.start(mailbox, Text("replaces"), {.if_live = IfLive::terminate_existing});
  host.terminate(mailbox, "the operator said so");
  host.purge({"race", "won"}, {.dedup_id = "act-3", .note = "a customer's wish"});
  host.purge({"ship", "2"});
  host.start({"ship", "2"}, parcel(2));  // begins anew
  host.run_activity();
  host.event({"linger", "expires"}, "e", Text("nobody comes"));
  host.event({"linger", "expires"}, "e", Text("nor for this"));

  for (const auto* key : {"redriven", "discarded"}) {
    host.event_with_start({"refuse", key}, Text("refuse"), "e", Text("unwanted"), {.dedup_id = "unwanted"});
    host.pass(1s);
  }
  host.redrive(host.dead_letter({"refuse", "redriven"}).position, {.dedup_id = "act-2", .note = "by hand"});
  host.start({"refuse", "redriven"}, Text("accept"));
  host.discard(host.dead_letter({"refuse", "discarded"}).position);
  host.event_with_start({"refuse", "dead"}, Text("refuse"), "e", Text("still dead"));

  for (const auto* key : {"cured", "hopeless"}) {
    host.start({"call", key}, Text("input"));
    host.event({"call", key}, "go", Text());
    host.fail_activity("Broken", "at first");
    host.redrive(host.dead_letter({"call", key}).position);
    if (key == Text("cured"))
      host.run_activity();
    else
      host.fail_activity("Broken", "again", true);
  }
}

void quarantine_some(Host& host) {
  const InstanceName released{"versioned", "released"}, quarantined{"versioned", "quarantined"};
  for (const auto& name : {released, quarantined}) {
    host.start(name, Text());
    host.event(name, "e", Text("a"));
    host.run_activity();
  }
  host.open(true);
  host.event(released, "e", Text("b"));
  host.open();
  while (host.running_activities() > 0) host.run_activity();
  host.event(released, "e", Text("stop"));
  host.open(true);
  host.event(quarantined, "e", Text("in the backlog"));
}

// Dedup ids in runs of more than a chunk, and rows in parts.
void fill_a_mailbox(Host& host) {
  for (int i = 0; i < 60; ++i)
    host.event({"gather", "long queue"}, "sms", sms("message " + std::to_string(i)),
               {.dedup_id = "queue-" + std::to_string(i)});
  host.pass(3min);
  host.event({"gather", "long queue"}, "sms", sms("one more"), {.dedup_id = "queue-60"});
  host.pass(3min);
  host.event({"linger", "since ever"}, "e", Text("another"), {.dedup_id = "since-1"});
}

// No rows are written from here on: this is folded at every open.
void leave_a_tail(Host& host) {
  host.options().checkpoint_age_records = 1'000'000;
  host.open(true);
  host.pass(2min);  // what "expires in the tail" got
  host.event_with_start({"gather", "all in the tail"}, Window{1h, 1}, "sms", sms("and delivered"));
  host.run_activity();
  host.start({"steps", "in the tail"}, Text());
  host.event({"steps", "in the tail"}, "e", Text("first"));
  host.run_activity();
  host.purge({"ship", "3"});
  host.start({"race", "in the tail"}, Text());
  host.event({"race", "in the tail"}, "stop", Text("at once"));
  host.run_activity();
  host.redrive(host.dead_letter({"refuse", "dead"}).position);  // to the mailbox
  host.event_with_start({"refuse", "in the tail"}, Text("refuse"), "e", Text("dead in the tail"));
  host.start({"gather", "open window"}, Window{1h, 5});
  host.event({"gather", "open window"}, "sms", sms("waits"), {.dedup_id = "tail-1"});
  host.start({"gather", "delivering"}, Window{1h, 1});
  host.event({"gather", "delivering"}, "sms", sms("to deliver"));
  host.fail_activity("Busy", "once");
  host.event({"linger", "since ever"}, "end", Text("fail"));  // its events go to the mailbox
  host.start({"call", "in the tail"}, Text("input"));
  host.event({"call", "in the tail"}, "go", Text());
  host.fail_activity("Broken", "in the tail");
  const InstanceName waits{"linger", "waits for its backoff"};
  host.event_with_start(waits, Text("again"), "e", Text("carried"));
  host.event(waits, "end", Text("fail"));
  host.event(waits, "e", Text("for the successor"));
  host.redrive(host.dead_letter({"call", "hopeless"}).position);  // and is running when the power goes
}

void make(const std::filesystem::path& directory) {
  Host host(directory, options());
  make_old_history(host);
  gather_some(host);
  ship_some(host);
  host.clock().set_wall(host.clock().wall_time() + 24h);
  end_in_all_ways(host);
  quarantine_some(host);
  host.event({"linger", "expires in the tail"}, "e", Text("nobody comes in time"));
  host.pass(2min);
  fill_a_mailbox(host);
  leave_a_tail(host);
}

void check(int result, const char* doing) {
  if (result != MDB_SUCCESS) throw InvalidArgument(std::string(doing) + ": " + mdb_strerror(result));
}

void copy_compact(const std::filesystem::path& from, const std::filesystem::path& to) {
  MDB_env* environment = nullptr;
  check(mdb_env_create(&environment), "copying");
  const std::unique_ptr<MDB_env, void (*)(MDB_env*)> closer(environment, mdb_env_close);
  check(mdb_env_open(environment, from.c_str(), MDB_RDONLY, 0600), "opening the log");
  check(mdb_env_copy2(environment, to.c_str(), MDB_CP_COMPACT), "copying the log");
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 2) throw InvalidArgument("usage: golden-generate DIRECTORY, which exists and is empty");
    const testing::TemporaryDirectory aside;
    make(aside.path());
    copy_compact(aside.path(), argv[1]);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "golden-generate: %s\n", error.what());
    return 1;
  }
}
