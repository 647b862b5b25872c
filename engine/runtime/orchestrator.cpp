#include "engine/runtime/orchestrator.hpp"

#include "engine/base/overloaded.hpp"
#include "engine/base/prefetch.hpp"

#include <algorithm>
#include <array>

namespace bobbin {

namespace {

// Requests, timers and instances that one step takes: short steps keep commits going.
constexpr std::size_t requests_a_step = 32;
// So many requests' payloads and instances are brought to the cache together: small enough for the first-level one.
constexpr std::size_t prefetched_together = 8;
constexpr std::size_t bytes_prefetched_max = 512;
constexpr std::size_t timers_a_step = 256;
constexpr std::size_t turns_a_step = 64;
// Timers fire as long as no more instances wait for their turn: when very many are due, they wait as timers, not in
// memory.
constexpr std::size_t turns_waiting_max = 2 * turns_a_step;
// Dedup ids of before the open that a step reads, until none is left: some 5 ms. Until then a new id costs a look-up in
// each run that has not been read, 2 us each. So with many runs a step takes few requests: what is read in the time of
// one saves more than that for each of those behind it.
constexpr std::size_t tags_a_step = 131'072;
constexpr std::size_t look_ups_a_step = 600;
// Dead letters of before the open that a step looks at: some milliseconds.
constexpr std::size_t dead_letters_a_step = 1'000;
// Rows of before the open that are to go, of which a step reads: each may come from the disk.
constexpr std::size_t leftovers_a_step = 64;
// While one batch is being written, the next one waits for it unless it has grown to this.
constexpr std::size_t records_worth_queueing = 320;

// With so few records in a batch few callers are about: what they could do until it is written saves less than waking
// the writer's thread costs.
constexpr std::size_t records_waited_for = 4;

bool looks_up(const Request& request) {
  const auto* accept = std::get_if<AcceptRequest>(&request);
  return accept && !accept->dedup_id.empty();
}

// Null if the run no longer waits for it.
const PendingActivity* pending_in(const InstanceState& state, const AttemptDone& done) {
  if (!state.live() || state.run != done.run) return nullptr;
  const auto at = std::ranges::find(state.activities, done.ordinal, &PendingActivity::ordinal);
  return at == state.activities.end() ? nullptr : &*at;
}

}  // namespace

Orchestrator::Orchestrator(Core& core, const std::shared_ptr<Inbox>& inbox, LogWriter& writer, Completions& completions)
    : core_(core),
      inbox_(*inbox),
      writer_(writer),
      completions_(completions),
      residency_(core),
      desk_(core,
            [inbox, executor = core.ports.executor](AttemptDone done) {
              inbox->put_outcome(std::move(done));
              executor->wake(Lane::orchestrator);
            }),
      mailbox_(core),
      turns_(core, residency_, desk_, mailbox_),
      acceptor_(core, turns_, mailbox_, desk_),
      reads_(core),
      operator_acts_(core, turns_, desk_, mailbox_),
      seen_durable_(writer.durable()) {}

// ---- Work ----

void Orchestrator::work() {
  if (finished_) return;
  if (writer_.has_failed()) stopped_ = true;
  try {
    step();
  } catch (...) {
    fail(current_error());
  }
}

void Orchestrator::step() {
  if (stopped_) return end_work();
  after_commit();
  core_.room.update(writer_);
  if (core_.room.next()) advance_clock();  // also while nothing is taken
  if (finishing_) core_.purge.stop();
  if (finishing_ && writer_.waits_for_room())
    return fail(StorageFull("the engine was closed while the disk had no room for what it had to write").info());
  bool more = !core_.log.full() && take_requests();
  if (!core_.refusals.empty()) completions_.release(std::exchange(core_.refusals, {}), {});
  // What a closing engine has not begun is as after a crash.
  if (!finishing_ && !core_.log.full()) more |= fire_timers();
  if (!finishing_ && !core_.log.full()) more |= turns_.work(turns_a_step, seen_durable_);
  for (const auto& id : std::exchange(core_.ended, {}))
    if (auto* instance = core_.overlay.resident_row(id)) reads_.answer_waiters(*instance);
  if (closing_)
    desk_.cancel_all();
  else
    desk_.start_due(seen_durable_);
  core_.log.committed();  // now, as activities are started from records in memory
  take_relief();
  count();
  core_.counters.purged.set(core_.purge.purged());
  hand_over(more);
  if (finishing_ && !more && handled_ == taken_.size() && inbox_.empty()) return end_work();
  if (!closing_) more |= catch_up();
  if (more)
    core_.ports.executor->wake(Lane::orchestrator);
  else
    sleep_until_next();
}

void Orchestrator::after_commit() {
  const auto durable = writer_.durable();
  if (durable == seen_durable_) return;
  seen_durable_ = durable;
  core_.dedup.committed(durable);
  core_.dedup.expire(core_.clock.elapsed());
  core_.overlay.let_go_of_stored(durable);
  core_.timers.shed(core_.clock.now(),
                    [this](const InstanceId& id) { return core_.overlay.resident_row(id) != nullptr; });
}

// Reads what was there before the open and no call has to wait for.
bool Orchestrator::catch_up() {
  bool more = operator_acts_.resume_redrives(dead_letters_a_step);
  const auto left = damage_met_in([&] { more |= core_.purge.take_up_leftovers(core_.store, leftovers_a_step); });
  if (left) core_.say_damage("rows of purged instances may stay", left->what());
  const auto damage = damage_met_in([&] { more |= core_.dedup.load_tags(tags_a_step); });
  if (!damage) return more;
  core_.say_damage("each new dedup id is looked up in the run, and refused if it may stand there", damage->what());
  return true;
}

void Orchestrator::count() {
  core_.counters.last_lsn.set(core_.log.last_lsn());
  core_.counters.fold_from.set(core_.log.fold_from());
  core_.counters.in_memory.set(core_.overlay.in_memory());
  core_.counters.timers_in_memory.set(core_.timers.in_memory());
}

void Orchestrator::advance_clock() {
  if (const auto before = core_.clock.advance()) {
    core_.say(LogLevel::info, "log time jumped forward to the wall clock");
    core_.log.append(ClockStepBody{*before, core_.clock.now()});
  }
}

// The clock is read after the requests were taken: nothing is accepted at a time before it was sent. A request that is
// being handled when the engine fails is among those that refuse_all() answers.
bool Orchestrator::take_requests() {
  refill();
  outcomes_.clear();
  inbox_.take_outcomes(outcomes_);
  advance_clock();
  for (const auto& outcome : outcomes_) attempt_done(outcome);
  const auto runs_unread = core_.dedup.runs_unread();
  std::size_t look_ups = 0;
  for (std::size_t i = 0; i < requests_a_step && look_ups < look_ups_a_step && handled_ < taken_.size(); ++i) {
    if (!core_.room.can_judge(taken_[handled_])) return false;
    if (i % prefetched_together == 0) prefetch();
    if (looks_up(taken_[handled_])) look_ups += runs_unread;
    handle(taken_[handled_]);
    ++handled_;
  }
  refill();
  return handled_ < taken_.size();
}

// Of a few requests at a time, step by step: what a step reads, the one before has brought for all of them, so that
// they wait for memory together and not one after the other.
void Orchestrator::prefetch() {
  std::array<Instance*, prefetched_together> instances{};
  const auto count = std::min(instances.size(), taken_.size() - handled_);
  for (std::size_t i = 0; i < count; ++i) {
    const auto* accept = std::get_if<AcceptRequest>(&taken_[handled_ + i]);
    if (!accept) continue;
    core_.dedup.prefetch(accept->dedup_hash);
    prefetch_bytes(accept->value.get(), sizeof(Payload));
    instances[i] = core_.overlay.resident_row(accept->id);
    if (instances[i]) prefetch_bytes(instances[i], sizeof(Instance));
  }
  for (std::size_t i = 0; i < count; ++i) {
    const auto* accept = std::get_if<AcceptRequest>(&taken_[handled_ + i]);
    if (accept && accept->value)
      prefetch_bytes(accept->value->bytes.data(), std::min(accept->value->bytes.size(), bytes_prefetched_max));
    if (instances[i]) prefetch_bytes(instances[i]->execution.get(), sizeof(Execution));
  }
  for (const auto* instance : instances)
    if (instance && instance->execution) instance->execution->prefetch_waits();
  for (const auto* instance : instances)
    if (instance && instance->execution) instance->execution->prefetch_fiber();
}

// What was done with makes room for callers that wait for it.
void Orchestrator::refill() {
  if (handled_ < taken_.size()) return;
  taken_.clear();
  handled_ = 0;
  inbox_.take(taken_);
}

void Orchestrator::handle(Request& request) {
  const auto if_wanted = [](auto& wanted, auto act) {
    if (wanted.reply.sequence()) act(wanted);
  };
  std::visit(
      Overload{
          [&](AcceptRequest& r) { if_wanted(r, [this](AcceptRequest& one) { acceptor_.accept(one, seen_durable_); }); },
          [&](TerminateRequest& r) { if_wanted(r, [this](TerminateRequest& one) { acceptor_.terminate(one); }); },
          [&](StatusRequest& r) { if_wanted(r, [this](StatusRequest& one) { reads_.status(one); }); },
          [&](ListRequest& r) { if_wanted(r, [this](ListRequest& one) { reads_.list(one); }); },
          [&](LedgersRequest& r) { if_wanted(r, [this](LedgersRequest& one) { reads_.ledgers(one); }); },
          [&](DeadLettersRequest& r) { if_wanted(r, [this](DeadLettersRequest& one) { reads_.dead_letters(one); }); },
          [&](OperatorRequest& r) {
            if_wanted(r, [this](OperatorRequest& one) { operator_acts_.act(one, seen_durable_); });
          },
          [&](PurgeRequest& r) { if_wanted(r, [this](PurgeRequest& one) { operator_acts_.purge(one); }); },
      },
      request);
}

// Null if the log knows no such instance; empty if its row is damaged, with this consequence.
std::optional<Instance*> Orchestrator::find_sound(const InstanceId& id, const char* consequence) {
  Instance* instance = nullptr;
  const auto damage = damage_met_in([&] { instance = core_.overlay.find(id); });
  if (!damage) return instance;
  core_.say_damage(consequence, damage->what());
  return std::nullopt;
}

void Orchestrator::attempt_done(const AttemptDone& done) {
  // Told to stop by close(), it was cut rather than that it failed: it uses up no attempt (S27).
  if (closing_ && done.outcome.error) return;
  if (done.redriven.lsn != 0) return operator_acts_.redrive_done(done);
  const auto found = find_sound(done.id, "the outcome of an activity is not taken");
  auto* instance = found.value_or(nullptr);
  const auto judgement = desk_.judge(done, instance ? pending_in(instance->state, done) : nullptr);
  if (!found) return;
  std::vector<Input> inputs;
  switch (judgement.verdict) {
    case ActivityDesk::Verdict::unknown:
      core_.counters.late_inputs.add();
      return;
    case ActivityDesk::Verdict::retry: {
      core_.counters.activity_retries.add();
      const auto lsn =
          core_.log.append(done.id, AttemptBody{done.ordinal, done.attempt, done.outcome.error, judgement.retry_at});
      if (!instance->held) desk_.schedule(*instance, *pending_in(instance->state, done), lsn);
      return;
    }
    case ActivityDesk::Verdict::completed:
      inputs.push_back(ActivityCompleted{done.ordinal, done.attempt, done.outcome.result});
      break;
    case ActivityDesk::Verdict::failed:
      core_.counters.activity_failures.add();
      inputs.push_back(ActivityFailed{done.ordinal, done.attempt, done.outcome.error, judgement.dead_letter});
      break;
  }
  turns_.deliver(*instance, std::move(inputs), seen_durable_);
}

bool Orchestrator::fire_timers() {
  for (std::size_t i = 0; i < timers_a_step; ++i) {
    if (turns_.waiting() >= turns_waiting_max) return false;  // which are worked off first
    const auto due = core_.timers.pop_due(core_.clock.now());
    if (!due) return false;
    auto* instance = find_sound(due->id, "a timer does not fire").value_or(nullptr);
    if (!instance) continue;
    if (instance->armed == due->due) instance->armed.reset();
    turns_.attend(*instance, core_.clock.now());
  }
  return true;
}

void Orchestrator::hand_over(bool more) {
  if (writer_.waits_for_room()) {
    if (!core_.room.asks_now()) return;
    core_.room.asked();
    give_relief();
    return core_.ports.executor->wake(Lane::writer);
  }
  const auto queued = writer_.queued();
  core_.log.hurry(core_.room.is_full());
  // Rows are written with records only: one that says nothing new, so that history can be purged.
  if (core_.room.is_full() && core_.log.empty() && queued == 0 && core_.log.is_behind() && !finishing_)
    core_.log.append(ClockStepBody{core_.clock.now(), core_.clock.now()});
  if (core_.log.empty()) {
    const auto purge = core_.purge.next();
    const bool purges = purge && *purge <= core_.clock.now();
    const bool deletes = finishing_ && leaves_rows();
    if (queued == 0 && (core_.room.asks_now() || (purges && !finishing_) || deletes)) submit(false);
    return;
  }
  const auto records = core_.log.records();
  if (queued == 0 || (queued == 1 && (records >= records_worth_queueing || core_.log.full())))
    submit(queued == 0 && !more && records <= records_waited_for);
}

void Orchestrator::give_relief() {
  if (relieving_) return;
  auto relief = core_.log.relief();
  relieving_ = !relief.empty();
  if (relieving_) writer_.relieve(std::move(relief));
}

void Orchestrator::take_relief() {
  if (!relieving_) return;
  const auto relief = writer_.take_relief();
  if (!relief) return;
  relieving_ = false;
  core_.log.relieved(*relief);
}

// What has been purged is to be gone as a whole.
bool Orchestrator::leaves_rows() const { return core_.overlay.forgotten() != 0 && !core_.room.is_full(); }

void Orchestrator::submit(bool waited_for) {
  auto batch = core_.log.seal();
  core_.room.ask(*batch);
  writer_.submit(std::move(batch), waited_for);
}

void Orchestrator::sleep_until_next() {
  // Full: the writer wakes the lane. Closing: nothing is begun any more, whatever is due.
  auto next = core_.room.next();
  if (!core_.log.full() && !closing_) {
    // A purge waits for the writer, which wakes the lane.
    const auto purge = writer_.queued() == 0 ? core_.purge.next() : std::nullopt;
    // Instances that cannot have their turn yet wait for the writer, too, and timers for them.
    const auto timer = turns_.waiting() < turns_waiting_max ? core_.timers.next() : std::nullopt;
    for (const auto at : {timer, desk_.next_retry(), purge})
      if (at && (!next || *at < *next)) next = at;
  }
  std::optional<Duration> delay;
  if (next) delay = *next > core_.clock.now() ? *next - core_.clock.now() : Duration::zero();
  core_.ports.executor->wake_after(Lane::orchestrator, delay);
}

// ---- Ends ----

void Orchestrator::end_work() {
  // The writer wakes the lane again.
  if (!stopped_ && (!core_.log.empty() || writer_.queued() != 0 || leaves_rows())) return;
  if (stopped_) {
    desk_.cancel_all();
    refuse_all();
    refuse_waiters(writer_.failure());
    if (!core_.log.empty()) submit(false);  // its answers say why
  }
  if (!finishing_) return;
  refuse_waiters(Closed("the engine was closed").info());
  residency_.remove_all();
  finished_.store(true, std::memory_order_release);
}

void Orchestrator::refuse_waiters(const ErrorInfo& error) {
  std::vector<Completion> gone;
  core_.overlay.for_each([&gone, &error](Instance& instance) {
    for (auto& reply : std::exchange(instance.end_waiters, {}))
      gone.push_back(Completion::of(std::move(reply), Result<InstanceStatus>{error, {}}));
  });
  completions_.release(std::move(gone), {});
}

void Orchestrator::refuse_all() {
  inbox_.close();
  const auto why = writer_.failure().message;
  for (refill(); !taken_.empty(); refill()) {
    std::vector<Completion> refused;
    for (; handled_ < taken_.size(); ++handled_)
      refuse(taken_[handled_], Closed("the engine has stopped: " + why).info(), refused);
    completions_.release(std::move(refused), {});
  }
}

void Orchestrator::refuse(Request& request, const ErrorInfo& error, std::vector<Completion>& refused) {
  const auto add = [&]<class T>(Reply<T>& reply) {
    refused.push_back(Completion::of(std::move(reply), Result<T>{error, {}}));
  };
  std::visit([&add](auto& one) { add(one.reply); }, request);
}

void Orchestrator::fail(const ErrorInfo& error) {
  stopped_ = true;
  writer_.poison(error);
  end_work();
}

}  // namespace bobbin
