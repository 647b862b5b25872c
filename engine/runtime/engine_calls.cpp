// The facade's calls: arguments checked and turned into requests.
#include "engine/runtime/engine_impl.hpp"

#include <algorithm>

namespace bobbin {

// ---- start, raise_event, raise_event_with_start ----

namespace {

AcceptRequest with_policies(AcceptRequest request, const StartOptions& options) {
  request.if_live = options.if_live;
  request.if_finished = options.if_finished;
  return request;
}

template <class Impl>
AcceptRequest start_request(Impl& impl, const InstanceName& name, PayloadPtr input, const StartOptions& options) {
  auto request = with_policies(impl.accept_request(name, options.dedup_id), options);
  impl.set_start(request, std::move(input));
  return request;
}

template <class Impl>
AcceptRequest event_request(Impl& impl, const InstanceName& name, std::string event, PayloadPtr value,
                            const EventOptions& options) {
  auto request = impl.accept_request(name, options.dedup_id);
  impl.set_event(request, std::move(event), std::move(value));
  return request;
}

template <class Impl>
void send_with_callback(Impl& impl, AcceptRequest request, Callback<Accepted> done) {
  const auto bytes = bytes_of(request);
  impl.template call_back<Accepted>(std::move(request), bytes, std::move(done));
}

template <class Impl>
Accepted send_and_wait(Impl& impl, AcceptRequest request, Duration timeout) {
  const auto bytes = bytes_of(request);
  return impl.template call<Accepted>(std::move(request), bytes, timeout);
}

}  // namespace

Accepted Engine::start_payload(const InstanceName& name, PayloadPtr input, const StartOptions& options,
                               Duration timeout) {
  return send_and_wait(*impl_, start_request(*impl_, name, std::move(input), options), timeout);
}

void Engine::start_payload(const InstanceName& name, PayloadPtr input, const StartOptions& options,
                           Callback<Accepted> done) {
  send_with_callback(*impl_, start_request(*impl_, name, std::move(input), options), std::move(done));
}

Accepted Engine::raise_payload(const InstanceName& name, std::string event, PayloadPtr value,
                               const EventOptions& options, Duration timeout) {
  return send_and_wait(*impl_, event_request(*impl_, name, std::move(event), std::move(value), options), timeout);
}

void Engine::raise_payload(const InstanceName& name, std::string event, PayloadPtr value, const EventOptions& options,
                           Callback<Accepted> done) {
  send_with_callback(*impl_, event_request(*impl_, name, std::move(event), std::move(value), options), std::move(done));
}

Accepted Engine::raise_payload_with_start(const InstanceName& name, PayloadPtr input, std::string event,
                                          PayloadPtr value, const EventOptions& options, Duration timeout) {
  auto request = event_request(*impl_, name, std::move(event), std::move(value), options);
  impl_->set_start(request, std::move(input));
  return send_and_wait(*impl_, std::move(request), timeout);
}

void Engine::raise_payload_with_start(const InstanceName& name, PayloadPtr input, std::string event, PayloadPtr value,
                                      const EventOptions& options, Callback<Accepted> done) {
  auto request = event_request(*impl_, name, std::move(event), std::move(value), options);
  impl_->set_start(request, std::move(input));
  send_with_callback(*impl_, std::move(request), std::move(done));
}

// ---- The others ----

namespace {

constexpr std::size_t note_bytes_max = 64u << 10;

void check_note(const char* what, const std::string& text) {
  if (text.size() > note_bytes_max)
    throw InvalidArgument(std::string(what) + " has at most " + std::to_string(note_bytes_max) + " bytes, this one " +
                          std::to_string(text.size()));
}

template <class Impl>
TerminateRequest terminate_request(const Impl& impl, const InstanceName& name, const std::string& reason,
                                   const TerminateOptions& options) {
  check_dedup_id(options.dedup_id);
  check_note("a reason", reason);
  const auto id = instance_id(name);
  return {id, reason, options, impl.hash_of(id, options.dedup_id), {}};
}

// What the answer may take, for the inbox's bound.
template <class Row>
std::size_t page_bytes(std::size_t limit) {
  return std::min<std::size_t>(limit, 1'000) * sizeof(Row) + 1;
}

}  // namespace

Accepted Engine::terminate(const InstanceName& name, const std::string& reason, const TerminateOptions& options,
                           Duration timeout) {
  return impl_->call<Accepted>(terminate_request(*impl_, name, reason, options), reason.size() + 1, timeout);
}

void Engine::terminate(const InstanceName& name, const std::string& reason, const TerminateOptions& options,
                       Callback<Accepted> done) {
  impl_->call_back<Accepted>(terminate_request(*impl_, name, reason, options), reason.size() + 1, std::move(done));
}

InstanceStatus Engine::status(const InstanceName& name, Duration timeout) {
  return impl_->call<InstanceStatus>(StatusRequest{instance_id(name), false, {}}, 1, timeout);
}

void Engine::status(const InstanceName& name, Callback<InstanceStatus> done) {
  impl_->call_back<InstanceStatus>(StatusRequest{instance_id(name), false, {}}, 1, std::move(done));
}

InstanceStatus Engine::wait(const InstanceName& name, Duration timeout) {
  bool taken = false;
  auto status = impl_->try_call<InstanceStatus>(StatusRequest{instance_id(name), true, {}}, 1, timeout, taken, false);
  if (!status) throw TimedOut("the run did not end within the time given");
  return std::move(*status);
}

void Engine::wait(const InstanceName& name, Callback<InstanceStatus> done) {
  impl_->call_back<InstanceStatus>(StatusRequest{instance_id(name), true, {}}, 1, std::move(done));
}

std::vector<InstanceState> Engine::list(const ListQuery& query, Duration timeout) {
  return impl_->call<std::vector<InstanceState>>(ListRequest{query, {}}, page_bytes<InstanceState>(query.limit),
                                                 timeout);
}

void Engine::list(const ListQuery& query, Callback<std::vector<InstanceState>> done) {
  impl_->call_back<std::vector<InstanceState>>(ListRequest{query, {}}, page_bytes<InstanceState>(query.limit),
                                               std::move(done));
}

std::vector<DeadLetter> Engine::dead_letters(Position after, std::size_t limit, Duration timeout) {
  return impl_->call<std::vector<DeadLetter>>(DeadLettersRequest{after, limit, {}}, page_bytes<DeadLetter>(limit),
                                              timeout);
}

void Engine::dead_letters(Position after, std::size_t limit, Callback<std::vector<DeadLetter>> done) {
  impl_->call_back<std::vector<DeadLetter>>(DeadLettersRequest{after, limit, {}}, page_bytes<DeadLetter>(limit),
                                            std::move(done));
}

namespace {

OperatorRequest operator_request(OperatorAct act, Position dead_letter, const OperatorOptions& options) {
  check_dedup_id(options.dedup_id);
  check_note("a note", options.note);
  return {act, dead_letter, options, {}};
}

std::size_t bytes_of(const OperatorOptions& options) { return options.note.size() + 1; }

}  // namespace

Accepted Engine::redrive(Position dead_letter, const OperatorOptions& options, Duration timeout) {
  return impl_->call<Accepted>(operator_request(OperatorAct::redrive, dead_letter, options), bytes_of(options),
                               timeout);
}

void Engine::redrive(Position dead_letter, const OperatorOptions& options, Callback<Accepted> done) {
  impl_->call_back<Accepted>(operator_request(OperatorAct::redrive, dead_letter, options), bytes_of(options),
                             std::move(done));
}

Accepted Engine::discard(Position dead_letter, const OperatorOptions& options, Duration timeout) {
  return impl_->call<Accepted>(operator_request(OperatorAct::discard, dead_letter, options), bytes_of(options),
                               timeout);
}

void Engine::discard(Position dead_letter, const OperatorOptions& options, Callback<Accepted> done) {
  impl_->call_back<Accepted>(operator_request(OperatorAct::discard, dead_letter, options), bytes_of(options),
                             std::move(done));
}

namespace {

template <class Impl>
PurgeRequest purge_request(const Impl& impl, const InstanceName& name, const OperatorOptions& options) {
  check_dedup_id(options.dedup_id);
  check_note("a note", options.note);
  const auto id = instance_id(name);
  return {id, options, impl.hash_of(id, options.dedup_id), {}};
}

}  // namespace

Accepted Engine::purge(const InstanceName& name, const OperatorOptions& options, Duration timeout) {
  return impl_->call<Accepted>(purge_request(*impl_, name, options), bytes_of(options), timeout);
}

void Engine::purge(const InstanceName& name, const OperatorOptions& options, Callback<Accepted> done) {
  impl_->call_back<Accepted>(purge_request(*impl_, name, options), bytes_of(options), std::move(done));
}

std::vector<Ledger> Engine::ledgers(Duration timeout) {
  return impl_->call<std::vector<Ledger>>(LedgersRequest{{}}, 1, timeout);
}

void Engine::ledgers(Callback<std::vector<Ledger>> done) {
  impl_->call_back<std::vector<Ledger>>(LedgersRequest{{}}, 1, std::move(done));
}

EngineStats Engine::stats() const {
  const auto& c = impl_->core.counters;
  EngineStats stats;
  stats.accepted = c.accepted.value();
  stats.duplicates = c.duplicates.value();
  stats.refused = c.refused.value();
  stats.refused_storage_full = c.refused_storage_full.value();
  stats.turns = c.turns.value();
  stats.replays = c.replays.value();
  stats.evictions = c.evictions.value();
  stats.payload_differences = c.payload_differences.value();
  stats.late_inputs = c.late_inputs.value();
  stats.unregistered = c.unregistered.value();
  stats.quarantined = c.quarantined.value();
  stats.damage_met = c.damage_met.value();
  stats.parked_for_good = c.parked_for_good.value();
  stats.activity_attempts = c.activity_attempts.value();
  stats.activity_retries = c.activity_retries.value();
  stats.activity_failures = c.activity_failures.value();
  stats.activities_running = c.activities_running.value();
  stats.resident = c.resident.value();
  stats.in_memory = c.in_memory.value();
  stats.purged = c.purged.value();
  stats.timers_in_memory = c.timers_in_memory.value();
  stats.last_lsn = c.last_lsn.value();
  stats.fold_from = c.fold_from.value();
  stats.inbox_requests = impl_->inbox->requests();
  stats.commits = impl_->writer.commits();
  stats.durable_lsn = impl_->writer.durable();
  stats.records = stats.durable_lsn - impl_->core.info.last_lsn;
  stats.storage_full = c.storage_full.value() != 0;
  stats.failed = impl_->writer.has_failed();
  return stats;
}

}  // namespace bobbin
