#include "tests/sim/world.hpp"

#include "engine/fibers/stack_pool.hpp"
#include "engine/replay/replay.hpp"
#include "tests/support/show.hpp"

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

namespace bobbin::sim {

namespace {

std::uint64_t hash_of_shown(const Record& record) { return std::hash<std::string>()(testing::show(record)); }

// What two stores of one seed have in common: not their random ids, nor the process.
std::uint64_t hash_of(const Record& record) {
  const auto is_start = [](const Input& input) { return std::holds_alternative<StartInput>(input); };
  const auto has_start = [&](const auto* body) { return body && std::ranges::any_of(body->inputs, is_start); };
  const bool is_plain = !std::holds_alternative<OpenedBody>(record.body) &&
                        !has_start(std::get_if<TurnBody>(&record.body)) &&
                        !has_start(std::get_if<AcceptedBody>(&record.body));
  if (is_plain) return hash_of_shown(record);
  auto plain = record;
  if (auto* opened = std::get_if<OpenedBody>(&plain.body)) {
    opened->epoch = {};
    opened->opener.clear();
  }
  const auto clear_epochs = [](std::vector<Input>& inputs) {
    for (auto& input : inputs)
      if (auto* start = std::get_if<StartInput>(&input)) start->epoch = {};
  };
  if (auto* turn = std::get_if<TurnBody>(&plain.body)) clear_epochs(turn->inputs);
  if (auto* accepted = std::get_if<AcceptedBody>(&plain.body)) clear_epochs(accepted->inputs);
  return hash_of_shown(plain);
}

constexpr int lanes_without_rest = 100'000;
constexpr std::uint64_t lives_between_readings = 5;

}  // namespace

World::World(WorldOptions options, Registration registration, Verdict& verdict, Trace& trace)
    : options_(std::move(options)),
      registration_(std::move(registration)),
      verdict_(verdict),
      trace_(trace),
      model_(options_.engine, verdict),
      disk_(options_.lmdb ? lmdb_disk() : disk_in_memory(options_.seed)),
      runner_(model_, *clock_, verdict, trace, options_.activity_capacity),
      stacks_(std::make_shared<StackPool>(options_.engine.fiber_stack_bytes)) {
  options_.engine.on_failure = [this](const ErrorInfo&) { failed_ = true; };
  options_.engine.log = [this](LogLevel level, const std::string& line) { say(level, line); };
}

World::~World() { crash(); }

// ---- The engine's lives ----

void World::open(CodeVersion code, const std::function<void(Store&)>& before) {
  code_ = code;
  model_.set_code(code);
  failed_ = false;
  alive_ = true;
  ++life_;
  opened_behind_ = model_.last_lsn();
  auto disk = disk_->open();
  if (before) before(*disk);
  check_opened(*disk);
  clock_->opened(model_.last_time(), model_.last_elapsed());
  faults_->power = true;
  auto store = options_.around_store ? options_.around_store(std::move(disk)) : std::move(disk);
  executor_ = std::make_shared<SimExecutor>(clock_);
  Registry registry;
  registration_(registry, code);
  Ports ports;
  ports.clock = clock_;
  ports.executor = executor_;
  ports.activities = runner_.for_engine();
  ports.random = [random = Random(options_.seed ^ life_)]() mutable { return random.next(); };
  engine_ = std::make_unique<Engine>(
      std::make_unique<SimStore>(std::move(store), faults_,
                                 [this](const Batch& batch, const Committed&) { committed(batch); }),
      std::move(registry), options_.engine, std::move(ports));
}

void World::crash() {
  if (alive_) clock_->died(model_.last_lsn() > opened_behind_);
  alive_ = false;
  faults_->power = false;
  engine_.reset();
  runner_.engine_gone();
}

void World::close() {
  engine_->close(Duration::zero());
  crash();
}

void World::committed(const Batch& batch) {
  if (batch.purge && batch.purge->until + options_.engine.retention > clock_->elapsed())
    verdict_.broken("a purge of what is too young is ordered (S28)");
  if (batch.purge) purged_at_ = std::max(purged_at_, clock_->elapsed());
  for (const auto& id : batch.forgotten) scratch_.forget(id);
  forgotten_ += batch.forgotten.size();
  for (const auto& record : batch.records) {
    if (record.log_time > clock_->log_time())
      verdict_.broken("record " + std::to_string(record.lsn) + " is ahead of log time (S4)");
    record_hashes_.push_back(hash_of(record));
    trace_.add(record_hashes_.back());
    if (options_.show) std::fprintf(stderr, "  %s %s\n", kind_name(record.body), testing::show(record).c_str());
    scratch_.add(record);
  }
  model_.committed(batch);
}

// ---- Time ----

void World::settle(Random& random) {
  for (int i = 0; executor_->run_one(random); ++i)
    if (i == lanes_without_rest) return verdict_.broken("the engine never comes to rest");
}

void World::pass(Duration time, Random& random) {
  const auto until = clock_->boot_time() + time;
  while (clock_->boot_time() < until && verdict_.kept() && !stopped()) {
    const auto next = executor_->next();
    const auto left = until - clock_->boot_time();
    clock_->advance(next ? std::clamp(*next - clock_->boot_time(), Duration(1), left) : left);
    wake();
    settle(random);
  }
}

// ---- Checks ----

void World::check_opened(Store& store) {
  const auto snapshot = store.snapshot();
  const auto info = store.info();
  auto rows = ScratchFold::of_rows(*snapshot, info.state);
  snapshot->scan(info.fold_from, [&rows, &info](Record&& record) {
    if (record.lsn < info.rows_from)
      rows.add_to_log_state(record);
    else
      rows.add(record);
    return true;
  });
  scratch_.compare(rows, "what recovery folds", verdict_);
  if (life_ % lives_between_readings != 0 && !thorough_) return;
  check_log(*snapshot);
  check_replays();
}

void World::check_log(Snapshot& snapshot) {
  std::vector<bool> present(record_hashes_.size() + 1);
  std::map<InstanceId, Lsn> newest;
  snapshot.scan(1, [&](Record&& record) {
    newest[record.instance] = record.lsn;
    if (record.lsn >= present.size() || hash_of(record) != record_hashes_[record.lsn - 1])
      verdict_.broken("record " + std::to_string(record.lsn) + " is not what was committed");
    else
      present[record.lsn] = true;
    return true;
  });
  model_.check_purged(present, purged_at_);
  check_leftovers(snapshot, newest);
}

// A row of which no record is left would stay for ever, if the next open did not find its name.
void World::check_leftovers(Snapshot& snapshot, const std::map<InstanceId, Lsn>& newest) {
  const auto is_there = [&newest](const InstanceId& id, Lsn lsn) {
    const auto at = newest.find(id);
    return at != newest.end() && at->second >= lsn;
  };
  std::set<InstanceId> named;
  for (const auto& ended : snapshot.leftovers()) {
    named.insert(ended.id);
    if (snapshot.record(ended.lsn))
      verdict_.broken("a row is to go whose record " + std::to_string(ended.lsn) + " is there (S28)");
  }
  for (const auto& row : snapshot.instances({}, 100'000))
    if (!row.live() && row.unread.empty() && !is_there(row.id, row.lsn) && !named.contains(row.id))
      verdict_.broken("the row of instance " + to_hex(row.id) + " has been left over, and nothing finds it (S28)");
}

void World::check_replays() {
  Registry registry;
  registration_(registry, {1, false});
  Registry changed;
  registration_(changed, {2, false});
  for (const auto& [id, instance] : model_.instances()) {
    if (!instance.live || !instance.live->begun) continue;
    const auto& code = instance.live->version == 2 ? changed : registry;
    Execution execution(*code.find_orchestrator(instance.name.orchestrator), instance.name, instance.live->id, stacks_);
    if (const auto result = replay(instance.live->history, execution, true); result.divergence)
      verdict_.broken("run " + std::to_string(instance.live->id) + " of '" + instance.name.orchestrator +
                      "' does not replay: turn " + std::to_string(result.divergence->turn) + " decided " +
                      result.divergence->expected + ", now " + result.divergence->found + " (P5)");
  }
}

void World::check_at_rest(Random& random) {
  if (stopped() || faults_->full_for != 0 || faults_->fails_in != 0 || executor_->writer_held()) return;
  wake();
  settle(random);
  if (stopped() || full()) return;
  model_.check_at_rest(
      clock_->log_time(), clock_->elapsed(), [this](const ActivityKey& key) { return runner_.runs(key); },
      runner_.full());
  const auto life = life_;
  const auto here = [this, life](auto check) {
    return [this, life, check](const auto& result) {
      if (life == life_ && alive() && result) check(result.value);
    };
  };
  try {
    engine_->ledgers(here([this](const std::vector<Ledger>& ledgers) { check_ledgers(ledgers); }));
    // What is forgotten while the answer is on its way may stand in it.
    engine_->list({std::nullopt, 1'000}, here([this, forgotten = forgotten_](const std::vector<InstanceState>& rows) {
                    if (forgotten == forgotten_) scratch_.compare(rows, "the engine's list", verdict_);
                  }));
    engine_->dead_letters({}, 1'000, here([this](const std::vector<DeadLetter>& letters) { check_letters(letters); }));
  } catch (const Overloaded&) {  // a small inbox: another time
  }
  settle(random);
}

void World::check_ledgers(const std::vector<Ledger>& ledgers) {
  std::size_t found = 0;
  for (const auto& ledger : ledgers) {
    const auto at = model_.ledgers().find(ledger.orchestrator);
    if (at == model_.ledgers().end()) {
      if (ledger.accepted != 0)
        verdict_.broken("a ledger of '" + ledger.orchestrator + "', of which nothing was accepted");
      continue;
    }
    ++found;
    const auto& model = at->second;
    const auto count = [&model](Fate fate) {
      const auto events = model.events.find(fate);
      return events == model.events.end() ? 0 : events->second;
    };
    if (!ledger.balanced() || ledger.accepted != model.accepted || ledger.pending != count(Fate::pending) ||
        ledger.consumed != count(Fate::consumed) || ledger.dead_lettered != count(Fate::dead) ||
        ledger.expired != count(Fate::expired) || ledger.discarded != count(Fate::discarded) ||
        ledger.failed_activities != model.failed_activities)
      verdict_.broken("the ledger is not the recount (S14): " + testing::show(ledger));
  }
  if (found != model_.ledgers().size()) verdict_.broken("a ledger is missing (S14)");
}

void World::check_letters(const std::vector<DeadLetter>& letters) {
  std::size_t open = 0;
  for (const auto& letter : letters) {
    const auto at = model_.letters().find(letter.position);
    if (at == model_.letters().end() || at->second.state != letter.state)
      verdict_.broken("dead letter " + to_string(letter.position) + " is " + to_string(letter.state) +
                      ", which the log does not say");
    open += letter.state == DeadLetterState::dead || letter.state == DeadLetterState::redriving;
  }
  for (const auto& [position, letter] : model_.letters())
    open -= letter.state == DeadLetterState::dead || letter.state == DeadLetterState::redriving;
  if (open != 0) verdict_.broken("dead letters are missing in the engine's list (S14)");
}

// An engine that complains without a reason is one that found its log damaged, or itself.
void World::say(LogLevel level, const std::string& line) {
  if (level != LogLevel::error) return;
  const auto says = [&line](const char* words) { return line.find(words) != std::string::npos; };
  const bool expected = says("the engine stops") || says("is quarantined") ||
                        (says("what was reserved is used up") && faults_->full_found > 0);
  if (!expected) verdict_.broken("the engine complains: " + line);
}

}  // namespace bobbin::sim
