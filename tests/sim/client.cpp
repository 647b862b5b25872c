#include "tests/sim/client.hpp"

#include "tests/sim/workload.hpp"

namespace bobbin::sim {

namespace {

constexpr std::uint64_t keys = 3;
constexpr std::size_t few_events = 100;

InstanceName some_instance(Random& random) { return {random.pick(orchestrators), std::to_string(random.below(keys))}; }

bool is_fresh(Acceptance how) { return how != Acceptance::duplicate && how != Acceptance::existing; }

}  // namespace

std::string Clients::describe(const Call& call) const {
  constexpr const char* verbs[]{"event", "event with start", "start", "terminate", "redrive", "discard", "purge"};
  return std::string(verbs[static_cast<std::size_t>(call.verb)]) + " '" + call.value + "' for " +
         call.name.orchestrator + "/" + call.name.key;
}

// ---- Calls ----

Clients::Call Clients::draw(Random& random) {
  constexpr std::array verbs{Verb::event, Verb::event, Verb::both,  Verb::both,
                             Verb::both,  Verb::both,  Verb::start, Verb::terminate};
  constexpr std::array if_live{IfLive::use_existing, IfLive::use_existing, IfLive::fail, IfLive::terminate_existing};
  constexpr std::array if_finished{IfFinished::allow, IfFinished::allow, IfFinished::only_if_failed,
                                   IfFinished::reject};
  Call call;
  call.verb = random.pick(verbs);
  call.name = some_instance(random);
  call.event = random.one_in(4) ? "other" : "e";
  call.value = std::to_string(calls_.size());
  call.input = std::to_string(random.below(8));
  call.start.if_live = random.pick(if_live);
  call.start.if_finished = random.pick(if_finished);
  call.discards = random.one_in(2);
  if (!random.one_in(8)) call.dedup_id = "d" + call.value;
  return call;
}

void Clients::call(Random& random) {
  calls_.push_back(draw(random));
  if (!random.one_in(8)) send(calls_.size() - 1);
}

void Clients::send_again(Random& random) {
  if (calls_.empty()) return;
  const auto index = random.below(calls_.size());
  auto& call = calls_[index];
  if (!call.dedup_id.empty() || !call.sent) send(index);
}

void Clients::operate(Random& random) {
  const auto& letters = world_.model().letters();
  if (letters.empty() || random.one_in(4)) return purge(some_instance(random), random);
  auto at = letters.begin();
  std::advance(at, static_cast<std::ptrdiff_t>(random.below(letters.size())));
  const auto* instance = world_.model().instance(at->second.instance);
  Call call;
  call.verb = random.one_in(3) ? Verb::discard : Verb::redrive;
  call.name = instance->name;
  call.letter = at->first;
  call.value = std::to_string(calls_.size());
  if (!random.one_in(4)) call.dedup_id = "d" + call.value;
  calls_.push_back(std::move(call));
  send(calls_.size() - 1);
}

void Clients::purge(const InstanceName& name, Random& random) {
  Call call;
  call.verb = Verb::purge;
  call.name = name;
  call.value = std::to_string(calls_.size());
  if (!random.one_in(4)) call.dedup_id = "d" + call.value;
  calls_.push_back(std::move(call));
  send(calls_.size() - 1);
}

void Clients::feed(const InstanceName& name, const std::string& event) {
  try {
    world_.engine().raise_event(name, event, std::string("fed"), {}, heard<Accepted>([](const Result<Accepted>&) {}));
  } catch (const Error&) {  // refused: the next round feeds it again
  }
}

void Clients::terminate(const InstanceName& name, bool discards) {
  try {
    world_.engine().terminate(name, discards ? "discard" : "keep", {{}, discards},
                              heard<Accepted>([](const Result<Accepted>&) {}));
  } catch (const Error&) {
  }
}

void Clients::send(std::size_t index) {
  auto& call = calls_[index];
  call.sent = true;
  const auto sequence = ++sequence_;
  try {
    dispatch(call, heard<Accepted>(
                       [this, index, sequence](const Result<Accepted>& result) { answered(index, sequence, result); }));
  } catch (const Error& error) {
    const bool expected = error.code() == ErrorCode::overloaded || error.code() == ErrorCode::closed ||
                          error.code() == ErrorCode::storage_full;
    if (!expected) verdict_.broken(describe(call) + " throws: " + error.what());
  }
}

void Clients::dispatch(Call& call, const Callback<Accepted>& done) {
  auto& engine = world_.engine();
  switch (call.verb) {
    case Verb::event:
      return engine.raise_event(call.name, call.event, call.value, {call.dedup_id}, done);
    case Verb::both:
      return engine.raise_event_with_start(call.name, call.input, call.event, call.value, {call.dedup_id}, done);
    case Verb::start:
      call.start.dedup_id = call.dedup_id;
      return engine.start(call.name, call.input, call.start, done);
    case Verb::terminate:
      return engine.terminate(call.name, call.discards ? "discard" : "keep", {call.dedup_id, call.discards}, done);
    case Verb::redrive:
      return engine.redrive(call.letter, {call.dedup_id, {}}, done);
    case Verb::discard:
      return engine.discard(call.letter, {call.dedup_id, {}}, done);
    case Verb::purge:
      return engine.purge(call.name, {call.dedup_id, {}}, done);
  }
}

// Only while the engine that was asked lives, and its host with it.
template <class T>
Callback<T> Clients::heard(std::function<void(const Result<T>&)> check) {
  return [this, life = world_.life(), check = std::move(check)](const Result<T>& result) {
    if (world_.alive() && world_.life() == life) check(result);
  };
}

void Clients::forget_answers() {
  newest_answered_ = 0;
  newest_position_ = {};
  waiting_ = 0;
}

void Clients::repeat_unsettled(Random* lanes) {
  for (std::size_t i = 0; i < calls_.size(); ++i) {
    if (calls_[i].settled || (calls_[i].sent && calls_[i].dedup_id.empty())) continue;
    send(i);
    if (lanes) world_.settle(*lanes);
  }
}

bool Clients::all_settled() const {
  for (const auto& call : calls_)
    if (!call.settled && !call.dedup_id.empty()) return false;
  return true;
}

// ---- Answers ----

void Clients::answered(std::size_t index, std::uint64_t sequence, const Result<Accepted>& result) {
  auto& call = calls_[index];
  call.latest = result;
  trace_.add(index);
  trace_.add(static_cast<std::uint64_t>(result.error.code));
  if (!result.error) {
    trace_.add(static_cast<std::uint64_t>(result.value.how));
    trace_.add(result.value.position.lsn);
    call.settled = true;
    return check_accepted(call, sequence, result.value);
  }
  const auto code = result.error.code;
  const bool refused =
      code == ErrorCode::not_found || code == ErrorCode::already_exists || code == ErrorCode::invalid_argument;
  const bool again = code == ErrorCode::overloaded || code == ErrorCode::closed || code == ErrorCode::storage_full ||
                     code == ErrorCode::outcome_unknown;
  if (!refused && !again) verdict_.broken(describe(call) + " is answered: " + result.error.message);
  call.settled |= refused;
}

void Clients::check_accepted(Call& call, std::uint64_t sequence, const Accepted& accepted) {
  const auto who = describe(call);
  const auto& model = world_.model();
  if (accepted.position.lsn > model.last_lsn()) return verdict_.broken(who + " is answered before it is durable (P1)");
  if (accepted.id != instance_id(call.name)) verdict_.broken(who + " is answered for another instance");
  if (is_fresh(accepted.how) && (call.verb == Verb::event || call.verb == Verb::both)) {
    const auto at = model.events().find(accepted.position);
    if (at == model.events().end() || at->second.value != call.value || at->second.name != call.event ||
        at->second.accepted_at != accepted.accepted_at)
      verdict_.broken(who + " is answered with position " + to_string(accepted.position) + ", where it is not");
  }
  if (!call.dedup_id.empty()) check_first(call, accepted);
  if (is_fresh(accepted.how)) check_order(call, sequence, accepted);
}

// S13: what was accepted under a dedup id is what every repetition is told.
void Clients::check_first(Call& call, const Accepted& accepted) {
  const auto who = describe(call);
  bool known = false;
  for (const auto& one : world_.model().accepted(accepted.id, call.dedup_id))
    known |= one.position == accepted.position && one.accepted_at == accepted.accepted_at;
  if (!known)
    verdict_.broken(who + " is answered with " + to_string(accepted.position) + ", which the log does not know (S13)");
  // Beyond the horizon it may have been accepted anew, which the model has looked at, and nobody heard of that.
  if (accepted.how == Acceptance::duplicate && call.first &&
      (accepted.position < call.first->position ||
       (accepted.position == call.first->position && accepted.run != call.first->run)))
    verdict_.broken(who + " is answered otherwise when it is repeated: first " + to_string(call.first->position) +
                    " of run " + std::to_string(call.first->run) + ", then " + to_string(accepted.position) +
                    " of run " + std::to_string(accepted.run) + " (S13)");
  call.first = accepted;
}

// S1: what is sent one after the other is accepted and answered in that order.
void Clients::check_order(const Call& call, std::uint64_t sequence, const Accepted& accepted) {
  if (sequence < newest_answered_ || accepted.position < newest_position_)
    verdict_.broken(describe(call) + " overtakes what was sent before it (S1)");
  newest_answered_ = sequence;
  newest_position_ = accepted.position;
}

// ---- Reads (S24) ----

void Clients::check_read(const InstanceState& state, const char* how) {
  const auto& model = world_.model();
  trace_.add(state.lsn);
  if (state.lsn > model.last_lsn()) return verdict_.broken(std::string(how) + " shows what is not durable (S24)");
  const auto* instance = model.instance(state.id);
  if (!instance || instance->last_lsn != state.lsn) return;  // the log has gone on
  const auto& live = instance->live;
  if (state.status != instance->last_status || state.run != instance->last_run ||
      state.unread.size() != instance->unread.size() || (live && live->timers.size() != state.timers.size()) ||
      (live && live->activities.size() != state.activities.size()))
    verdict_.broken(std::string(how) + " shows another state of " + to_hex(state.id) + " than the log (S24)");
}

void Clients::read(Random& random) {
  const auto name = some_instance(random);
  auto& engine = world_.engine();
  try {
    switch (random.below(4)) {
      case 0:
        return engine.status(name, heard<InstanceStatus>([this](const Result<InstanceStatus>& result) {
                               if (result) check_read(result.value.state, "status");
                             }));
      case 1:
        engine.wait(name, heard<InstanceStatus>([this](const Result<InstanceStatus>& result) {
                      if (waiting_ > 0) --waiting_;
                      if (!result) return;
                      if (result.value.state.live()) verdict_.broken("wait is answered while the run lives");
                      check_read(result.value.state, "wait");
                    }));
        ++waiting_;
        return;
      case 2:
        return engine.list({std::nullopt, 1 + random.below(20)},
                           heard<std::vector<InstanceState>>([this](const Result<std::vector<InstanceState>>& result) {
                             for (std::size_t i = 0; i < result.value.size(); ++i) {
                               check_read(result.value[i], "list");
                               if (i > 0 && result.value[i].id <= result.value[i - 1].id)
                                 verdict_.broken("list is out of order");
                             }
                           }));
      default:
        return engine.dead_letters(
            {}, 1 + random.below(20),
            heard<std::vector<DeadLetter>>([this](const Result<std::vector<DeadLetter>>& result) {
              for (const auto& letter : result.value)
                if (letter.lsn > world_.model().last_lsn())
                  verdict_.broken("dead_letters shows what is not durable (S24)");
            }));
    }
  } catch (const Overloaded&) {
  } catch (const Closed&) {
  }
}

// ---- Predictions (S8 to S10) ----

std::optional<Acceptance> Clients::predict(const Call& call, ErrorCode& refusal) const {
  refusal = ErrorCode::none;
  const auto* instance = world_.model().instance(instance_id(call.name));
  const bool live = instance && instance->live;
  const bool unregistered = world_.code().absent && call.name.orchestrator == versioned_orchestrator;
  const bool known = instance && instance->known();
  switch (call.verb) {
    case Verb::event:
      if (live) return std::nullopt;
      if (unregistered && !known) refusal = ErrorCode::not_found;
      if (known && instance->unread.size() >= world_.options().mailbox_events) refusal = ErrorCode::overloaded;
      return Acceptance::mailbox;
    case Verb::both:
      if (live) return std::nullopt;
      if (unregistered) refusal = ErrorCode::not_found;
      return Acceptance::started;
    case Verb::start: {
      if (unregistered) refusal = ErrorCode::not_found;
      if (live && call.start.if_live == IfLive::fail && !unregistered) refusal = ErrorCode::already_exists;
      if (live) return call.start.if_live == IfLive::use_existing ? Acceptance::existing : Acceptance::started;
      const bool failed = instance && instance->last_status == RunStatus::failed;
      const bool forbidden = call.start.if_finished == IfFinished::reject ||
                             (call.start.if_finished == IfFinished::only_if_failed && !failed);
      if (instance && instance->last_run != 0 && forbidden && !unregistered) refusal = ErrorCode::already_exists;
      return Acceptance::started;
    }
    case Verb::terminate:
      if (!live) refusal = ErrorCode::not_found;
      return Acceptance::done;
    case Verb::redrive:
    case Verb::discard:
    case Verb::purge:
      break;
  }
  return std::nullopt;
}

std::uint64_t Clients::times_forgotten(const InstanceName& name) const {
  const auto* instance = world_.model().instance(instance_id(name));
  return instance ? instance->forgotten : 0;
}

void Clients::call_predicted(Random& random) {
  auto& world = world_;
  if (world.executor().writer_held() || world.faults().fails_in != 0 || world.faults().full_for != 0) return;
  world.wake();
  world.settle(random);
  if (world.stopped() || world.full()) return;
  auto call = draw(random);
  call.dedup_id.clear();
  ErrorCode refusal{};
  const auto expected = predict(call, refusal);
  const bool live = expected == std::nullopt;
  const auto forgotten = times_forgotten(call.name);
  calls_.push_back(call);
  const auto index = calls_.size() - 1;
  send(index);
  world.settle(random);
  const auto& answer = calls_[index].latest;
  if (!answer || world.stopped()) return;  // a full inbox
  // The engine forgets what was purged at once, the log with the next record: it may be the one of this call.
  if (times_forgotten(call.name) != forgotten) return;
  const auto who = describe(calls_[index]);
  // Other bounds than the mailbox's are not foreseen.
  if (answer->error.code == ErrorCode::overloaded && world.options().unread_events < few_events) return;
  if (answer->error.code != refusal)
    return verdict_.broken(who + " is answered '" + answer->error.message + "', expected " + to_string(refusal));
  if (refusal != ErrorCode::none) return;
  const auto how = answer->value.how;
  if (live ? how != Acceptance::appended && how != Acceptance::successor : how != *expected)
    verdict_.broken(who + " is answered '" + to_string(how) + "', expected '" +
                    to_string(expected.value_or(Acceptance::appended)) + "' (S8, S9)");
}

}  // namespace bobbin::sim
