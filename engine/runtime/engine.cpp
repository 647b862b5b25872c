// The facade: checks arguments, wires the parts together, and turns calls into requests.
#include "engine/runtime/completions.hpp"
#include "engine/runtime/log_writer.hpp"
#include "engine/runtime/option_check.hpp"
#include "engine/runtime/orchestrator.hpp"
#include "engine/runtime/thread_executor.hpp"
#include "engine/runtime/thread_runner.hpp"

#include <bobbin/engine.hpp>

#include <mutex>
#include <optional>
#include <random>

namespace bobbin {

namespace {

thread_local bool on_lane = false;

Ports with_defaults(Ports ports, const Registry& registry, const EngineOptions& options) {
  if (!ports.clock) ports.clock = system_clock();
  if (!ports.executor) ports.executor = std::make_shared<ThreadExecutor>();
  if (!ports.activities) ports.activities = std::make_shared<ThreadRunner>(registry, options.activity_threads);
  if (!ports.random) ports.random = [random = std::mt19937_64(std::random_device{}())]() mutable { return random(); };
  return ports;
}

void check_dedup_id(const std::string& id) {
  if (id.size() > 128) throw InvalidArgument("a dedup id has at most 128 bytes, this one " + std::to_string(id.size()));
}

}  // namespace

class Engine::Impl {
 public:
  Impl(std::unique_ptr<Store> its_store, Registry its_registry, EngineOptions its_options, Ports its_ports)
      : options(checked(std::move(its_options))),
        store(std::move(its_store)),
        registry(std::move(its_registry)),
        ports(with_defaults(std::move(its_ports), registry, options)),
        core(*store, registry, options, ports),
        inbox(std::make_shared<Inbox>(options.inbox_requests, options.inbox_bytes)),
        completions(*ports.executor),
        writer(*store, completions, *ports.executor, core.info.last_lsn,
               [this](const ErrorInfo& error) { failed(error); }),
        orchestrator(core, inbox, writer, completions) {
    orchestrator.recover();
    ports.executor->start([this](Lane lane) { work(lane); });
    ports.executor->wake(Lane::orchestrator);
  }

  ~Impl() { close(Duration::zero()); }

  void work(Lane lane) {
    const bool outer = std::exchange(on_lane, true);
    switch (lane) {
      case Lane::orchestrator:
        orchestrator.work();
        break;
      case Lane::writer:
        writer.work();
        break;
      case Lane::completion:
        completions.work();
        break;
    }
    on_lane = outer;
  }

  void failed(const ErrorInfo& error) {
    core.say(LogLevel::error, "the engine stops: " + error.message);
    if (options.on_failure) options.on_failure(error);
  }

  void send(Request request, std::size_t bytes, Duration patience) {
    inbox->put(std::move(request), bytes, patience);
    ports.executor->wake(Lane::orchestrator);
  }

  void check_not_on_lane() const {
    if (on_lane)
      throw InvalidArgument("a blocking call on the engine's own thread would wait for itself: use the callback form");
  }

  // Empty: no answer within `timeout`.
  template <class T, class R>
  std::optional<T> try_call(R request, std::size_t bytes, Duration timeout, bool& taken) {
    check_not_on_lane();
    auto call = std::make_shared<BlockedCall<T>>();
    request.reply = Reply<T>(call);
    const auto deadline = std::chrono::steady_clock::now() + std::min(timeout, Duration(std::chrono::hours(24 * 365)));
    send(std::move(request), bytes, timeout);
    return call->wait(std::chrono::duration_cast<Duration>(deadline - std::chrono::steady_clock::now()), taken);
  }

  template <class T, class R>
  T call(R request, std::size_t bytes, Duration timeout) {
    bool taken = false;
    if (auto answer = try_call<T>(std::move(request), bytes, timeout, taken)) return std::move(*answer);
    if (taken) throw OutcomeUnknown("the request was taken but is not durable yet: repeat it with the same dedup id");
    throw Overloaded("the engine did not take the request before its deadline: repeat it later");
  }

  void close(Duration limit) {
    check_not_on_lane();
    const std::lock_guard lock(closing);
    if (closed) return;
    inbox->close();
    orchestrator.begin_close();
    ports.executor->wake(Lane::orchestrator);
    if (!ports.activities->stop(limit))
      core.say(LogLevel::warning, "activities still run at the end of close(): they are repeated after the next open");
    orchestrator.finish();
    ports.executor->wake(Lane::orchestrator);
    ports.executor->drive_until(
        [this] { return orchestrator.finished() && completions.empty() && writer.queued() == 0; });
    ports.executor->stop();
    closed = true;
  }

  AcceptRequest accept_request(const InstanceName& name, const std::string& dedup_id) const {
    check_dedup_id(dedup_id);
    AcceptRequest request;
    request.id = instance_id(name);
    request.name = name;
    request.dedup_id = dedup_id;
    return request;
  }

  void set_event(AcceptRequest& request, std::string event, PayloadPtr value) const {
    if (event.empty() || event.size() > 128)
      throw InvalidArgument("an event's name has 1 to 128 bytes, this one " + std::to_string(event.size()));
    check_payload(value);
    request.with_event = true;
    request.event = std::move(event);
    request.value = std::move(value);
  }

  void set_start(AcceptRequest& request, PayloadPtr input) const {
    check_payload(input);
    request.with_start = true;
    request.start_input = std::move(input);
  }

  void check_payload(const PayloadPtr& payload) const {
    if (payload && payload->bytes.size() > options.payload_bytes)
      throw InvalidArgument("a payload of " + std::to_string(payload->bytes.size()) + " bytes is larger than the " +
                            std::to_string(options.payload_bytes) + " that this engine takes");
  }

  const EngineOptions options;
  const std::unique_ptr<Store> store;
  const Registry registry;
  const Ports ports;
  Core core;
  const std::shared_ptr<Inbox> inbox;  // an activity that outlives close() still puts its outcome there
  Completions completions;
  LogWriter writer;
  Orchestrator orchestrator;
  std::mutex closing;
  bool closed = false;
};

Engine::Engine(std::unique_ptr<Store> store, Registry registry, EngineOptions options, Ports ports)
    : impl_(std::make_unique<Impl>(std::move(store), std::move(registry), std::move(options), std::move(ports))) {}

Engine::~Engine() = default;

void Engine::close(Duration limit) { impl_->close(limit); }

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
  request.reply = Reply<Accepted>(std::move(done));
  const auto bytes = bytes_of(request);
  impl.send(std::move(request), bytes, Duration::zero());
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

TerminateRequest terminate_request(const InstanceName& name, const std::string& reason,
                                   const TerminateOptions& options) {
  check_dedup_id(options.dedup_id);
  return {instance_id(name), reason, options, {}};
}

}  // namespace

Accepted Engine::terminate(const InstanceName& name, const std::string& reason, const TerminateOptions& options,
                           Duration timeout) {
  return impl_->call<Accepted>(terminate_request(name, reason, options), reason.size() + 1, timeout);
}

void Engine::terminate(const InstanceName& name, const std::string& reason, const TerminateOptions& options,
                       Callback<Accepted> done) {
  auto request = terminate_request(name, reason, options);
  request.reply = Reply<Accepted>(std::move(done));
  impl_->send(std::move(request), reason.size() + 1, Duration::zero());
}

InstanceStatus Engine::status(const InstanceName& name, Duration timeout) {
  return impl_->call<InstanceStatus>(StatusRequest{instance_id(name), false, {}}, 1, timeout);
}

void Engine::status(const InstanceName& name, Callback<InstanceStatus> done) {
  impl_->send(StatusRequest{instance_id(name), false, Reply<InstanceStatus>(std::move(done))}, 1, Duration::zero());
}

InstanceStatus Engine::wait(const InstanceName& name, Duration timeout) {
  bool taken = false;
  auto status = impl_->try_call<InstanceStatus>(StatusRequest{instance_id(name), true, {}}, 1, timeout, taken);
  if (!status) throw TimedOut("the run did not end within the time given");
  return std::move(*status);
}

void Engine::wait(const InstanceName& name, Callback<InstanceStatus> done) {
  impl_->send(StatusRequest{instance_id(name), true, Reply<InstanceStatus>(std::move(done))}, 1, Duration::zero());
}

std::vector<InstanceState> Engine::list(const ListQuery& query, Duration timeout) {
  return impl_->call<std::vector<InstanceState>>(ListRequest{query, {}}, 1, timeout);
}

std::vector<DeadLetter> Engine::dead_letters(Position after, std::size_t limit, Duration timeout) {
  return impl_->call<std::vector<DeadLetter>>(DeadLettersRequest{after, limit, {}}, 1, timeout);
}

Accepted Engine::redrive(Position dead_letter, const std::string& note, Duration timeout) {
  return impl_->call<Accepted>(OperatorRequest{OperatorAct::redrive, dead_letter, note, {}}, 1, timeout);
}

Accepted Engine::discard(Position dead_letter, const std::string& note, Duration timeout) {
  return impl_->call<Accepted>(OperatorRequest{OperatorAct::discard, dead_letter, note, {}}, 1, timeout);
}

std::vector<Ledger> Engine::ledgers(Duration timeout) {
  return impl_->call<std::vector<Ledger>>(LedgersRequest{{}}, 1, timeout);
}

EngineStats Engine::stats() const {
  const auto& c = impl_->core.counters;
  EngineStats stats;
  stats.accepted = c.accepted.value();
  stats.duplicates = c.duplicates.value();
  stats.refused = c.refused.value();
  stats.turns = c.turns.value();
  stats.replays = c.replays.value();
  stats.evictions = c.evictions.value();
  stats.payload_differences = c.payload_differences.value();
  stats.late_inputs = c.late_inputs.value();
  stats.unregistered = c.unregistered.value();
  stats.quarantined = c.quarantined.value();
  stats.parked_for_good = c.parked_for_good.value();
  stats.activity_attempts = c.activity_attempts.value();
  stats.activity_retries = c.activity_retries.value();
  stats.activity_failures = c.activity_failures.value();
  stats.activities_running = c.activities_running.value();
  stats.resident = c.resident.value();
  stats.in_memory = c.in_memory.value();
  stats.last_lsn = c.last_lsn.value();
  stats.fold_from = c.fold_from.value();
  stats.inbox_requests = impl_->inbox->size();
  stats.commits = impl_->writer.commits();
  stats.durable_lsn = impl_->writer.durable();
  stats.records = stats.durable_lsn - impl_->core.info.last_lsn;
  stats.failed = impl_->writer.has_failed();
  return stats;
}

}  // namespace bobbin
