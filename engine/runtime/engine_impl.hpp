// Behind the facade: the parts wired together, and the ways in that all calls share.
#pragma once

#include "engine/runtime/completions.hpp"
#include "engine/runtime/log_writer.hpp"
#include "engine/runtime/lookout.hpp"
#include "engine/runtime/orchestrator.hpp"

#include <bobbin/engine.hpp>

#include <memory>
#include <mutex>
#include <optional>

namespace bobbin {

// Throws InvalidArgument if it is too long.
void check_dedup_id(const std::string& id);

class Engine::Impl {
 public:
  Impl(std::unique_ptr<Store> its_store, Registry its_registry, EngineOptions its_options, Ports its_ports);
  ~Impl() { close(Duration::zero()); }

  void work(Lane lane);

  void failed(const ErrorInfo& error) {
    core.say(LogLevel::error, "the engine stops: " + error.message);
    if (options.on_failure) options.on_failure(error);
  }

  void send(Request request, std::size_t bytes, Duration patience) {
    // Once the request is answered somebody may destroy the engine.
    const auto its_inbox = inbox;
    const auto executor = ports.executor;
    its_inbox->put(std::move(request), bytes, patience);
    executor->wake(Lane::orchestrator);
  }

  void check_not_on_lane() const;  // throws InvalidArgument on the engine's own threads (S20)

  template <class T, class R>
  void call_back(R request, std::size_t bytes, Callback<T> done) {
    request.reply = Reply<T>(std::move(done));
    send(std::move(request), bytes, Duration::zero());
  }

  // Empty: no answer within `timeout`. `comes_soon`: the answer is expected as soon as a commit is done.
  template <class T, class R>
  std::optional<T> try_call(R request, std::size_t bytes, Duration timeout, bool& taken, bool comes_soon) {
    check_not_on_lane();
    auto call = std::make_shared<BlockedCall<T>>();
    request.reply = Reply<T>(call);
    const Lookout::Clock::time_point deadline =
        std::chrono::steady_clock::now() + std::min(timeout, Duration(std::chrono::hours(24 * 365)));
    const auto shared = lookout;  // as in send()
    Lookout::Caller caller(*shared);
    send(std::move(request), bytes, timeout);
    if (comes_soon) caller.look_for([&call] { return call->answered(); }, deadline);
    return call->wait(std::chrono::duration_cast<Duration>(deadline - std::chrono::steady_clock::now()), taken);
  }

  template <class T, class R>
  T call(R request, std::size_t bytes, Duration timeout) {
    bool taken = false;
    if (auto answer = try_call<T>(std::move(request), bytes, timeout, taken, true)) return std::move(*answer);
    if (taken) throw OutcomeUnknown("the request was taken but is not durable yet: repeat it with the same dedup id");
    throw Overloaded("the engine did not take the request before its deadline: repeat it later");
  }

  void close(Duration limit);

  AcceptRequest accept_request(const InstanceName& name, const std::string& dedup_id) const {
    check_dedup_id(dedup_id);
    AcceptRequest request;
    request.id = instance_id(name);
    request.name = name;
    request.dedup_id = dedup_id;
    request.dedup_hash = hash_of(request.id, dedup_id);
    return request;
  }

  Id128 hash_of(const InstanceId& id, const std::string& dedup_id) const {
    return dedup_id.empty() ? Id128{} : dedup_hash(core.info.log_id, id, dedup_id);
  }

  void set_event(AcceptRequest& request, std::string event, PayloadPtr value) const {
    check_size("an event's name", event);
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
  const std::shared_ptr<Lookout> lookout = std::make_shared<Lookout>();
  std::mutex closing;
  bool closed = false;
};

}  // namespace bobbin
