// The engine: one directory, one log, one owner. See README.md for the picture and the promises P1 to P10.
#pragma once

#include <bobbin/codec.hpp>
#include <bobbin/options.hpp>
#include <bobbin/ports.hpp>
#include <bobbin/registry.hpp>
#include <bobbin/requests.hpp>
#include <bobbin/store.hpp>

#include <memory>

namespace bobbin {

// All functions may be called from any thread but the engine's own lanes (blocking ones there: InvalidArgument, S20).
// Each change has two forms. Blocking: returns once durable; throws an Error; waits up to `timeout`, after which it
// throws Overloaded (nothing happened) or OutcomeUnknown (it may still happen: repeat it with the same dedup id). A
// lone caller looks out for its answer for up to a millisecond before it sleeps, and yields its processor meanwhile;
// where commits take longer or the processors are busy, hardly ever. With a callback: returns at once; throws
// InvalidArgument, Overloaded or Closed, and then the callback never runs. Either form, and each read, fails with
// Corrupt when a record or row that it alone needs is damaged: this call changed nothing, and the engine goes on. A
// page of a list fails as a whole; the message says which row to go on after. Once the engine has stopped they fail
// with Closed.
class Engine {
 public:
  static constexpr Duration default_timeout = std::chrono::seconds(30);

  // Recovers the log: everything accepted before goes on. Throws InvalidArgument for impossible options, and what the
  // store throws. `registry` holds what may run; instances whose code it lacks wait for a later open (S17).
  Engine(std::unique_ptr<Store> store, Registry registry, EngineOptions options = {}, Ports ports = {});
  // As close(0).
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // One live run per name, however many callers start it at once (P3, S8). NotFound: unknown orchestrator;
  // AlreadyExists: forbidden by the options.
  template <class In>
  Accepted start(const InstanceName& name, const In& input, const StartOptions& options = {},
                 Duration timeout = default_timeout) {
    return start_payload(name, encode(input), options, timeout);
  }
  template <class In>
  void start(const InstanceName& name, const In& input, const StartOptions& options, Callback<Accepted> done) {
    start_payload(name, encode(input), options, std::move(done));
  }

  // To the live run, or to the mailbox of an instance without one (S10). NotFound: the log knows no such instance, and
  // no orchestrator of that name is registered.
  template <class T>
  Accepted raise_event(const InstanceName& name, const std::string& event, const T& value,
                       const EventOptions& options = {}, Duration timeout = default_timeout) {
    return raise_payload(name, event, encode(value), options, timeout);
  }
  template <class T>
  void raise_event(const InstanceName& name, const std::string& event, const T& value, const EventOptions& options,
                   Callback<Accepted> done) {
    raise_payload(name, event, encode(value), options, std::move(done));
  }

  // Start (if no run lives) and event in one commit (S9).
  template <class In, class T>
  Accepted raise_event_with_start(const InstanceName& name, const In& input, const std::string& event, const T& value,
                                  const EventOptions& options = {}, Duration timeout = default_timeout) {
    return raise_payload_with_start(name, encode(input), event, encode(value), options, timeout);
  }
  template <class In, class T>
  void raise_event_with_start(const InstanceName& name, const In& input, const std::string& event, const T& value,
                              const EventOptions& options, Callback<Accepted> done) {
    raise_payload_with_start(name, encode(input), event, encode(value), options, std::move(done));
  }

  // The same with values that are encoded already.
  Accepted start_payload(const InstanceName&, PayloadPtr input, const StartOptions&, Duration timeout);
  void start_payload(const InstanceName&, PayloadPtr input, const StartOptions&, Callback<Accepted> done);
  Accepted raise_payload(const InstanceName&, std::string event, PayloadPtr, const EventOptions&, Duration timeout);
  void raise_payload(const InstanceName&, std::string event, PayloadPtr, const EventOptions&, Callback<Accepted> done);
  Accepted raise_payload_with_start(const InstanceName&, PayloadPtr input, std::string event, PayloadPtr,
                                    const EventOptions&, Duration timeout);
  void raise_payload_with_start(const InstanceName&, PayloadPtr input, std::string event, PayloadPtr,
                                const EventOptions&, Callback<Accepted> done);

  // Ends the live run without asking its code; NotFound if none lives. Unread events go on as S12 says.
  Accepted terminate(const InstanceName& name, const std::string& reason, const TerminateOptions& options = {},
                     Duration timeout = default_timeout);
  void terminate(const InstanceName& name, const std::string& reason, const TerminateOptions& options,
                 Callback<Accepted> done);

  // Reads show durable state only (S24). NotFound: nothing was ever accepted for this name.
  InstanceStatus status(const InstanceName& name, Duration timeout = default_timeout);
  void status(const InstanceName& name, Callback<InstanceStatus> done);
  // Answers once no run of the instance lives; TimedOut after `timeout`.
  InstanceStatus wait(const InstanceName& name, Duration timeout = default_timeout);
  void wait(const InstanceName& name, Callback<InstanceStatus> done);
  // Instances by id.
  std::vector<InstanceState> list(const ListQuery& query = {}, Duration timeout = default_timeout);
  void list(const ListQuery& query, Callback<std::vector<InstanceState>> done);

  // Dead letters by position, after `after`. A redriven event is pending again; a redriven activity runs once more
  // with the same input and idempotency key (S31). Both are acts of an operator, in the log; NotFound, or
  // InvalidArgument if it is not dead (any more); a repeated dedup id is answered as S13 says.
  std::vector<DeadLetter> dead_letters(Position after = {}, std::size_t limit = 100,
                                       Duration timeout = default_timeout);
  void dead_letters(Position after, std::size_t limit, Callback<std::vector<DeadLetter>> done);
  Accepted redrive(Position dead_letter, const OperatorOptions& options = {}, Duration timeout = default_timeout);
  void redrive(Position dead_letter, const OperatorOptions& options, Callback<Accepted> done);
  Accepted discard(Position dead_letter, const OperatorOptions& options = {}, Duration timeout = default_timeout);
  void discard(Position dead_letter, const OperatorOptions& options, Callback<Accepted> done);

  // From now on as if the instance had never run, but for the dedup ids that it used, its dead letters and the events
  // in its mailbox (S28). Its history leaves the log in bounded steps, once recovery needs it no more. NotFound: no run
  // of it is known; InvalidArgument: one lives.
  Accepted purge(const InstanceName& name, const OperatorOptions& options = {}, Duration timeout = default_timeout);
  void purge(const InstanceName& name, const OperatorOptions& options, Callback<Accepted> done);

  // One for each orchestrator (S14).
  std::vector<Ledger> ledgers(Duration timeout = default_timeout);
  void ledgers(Callback<std::vector<Ledger>> done);
  EngineStats stats() const;

  // Stops accepting (callers get Closed), lets running turns and their commit finish, tells running activities to stop
  // and waits for them up to `limit`; what is cut is as after a crash (S27). Pending waits get Closed. Any number of
  // times; not from an activity, nor from a lane (InvalidArgument).
  void close(Duration limit = std::chrono::seconds(10));

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bobbin
