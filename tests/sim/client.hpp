// Clients of the engine: they call, repeat what was not answered under the same dedup id, and compare what they hear
// with what is durable and with what they heard before.
#pragma once

#include "tests/sim/world.hpp"

namespace bobbin::sim {

class Clients {
 public:
  Clients(World& world, Verdict& verdict, Trace& trace) : world_(world), verdict_(verdict), trace_(trace) {}

  // A new call, drawn at random; sent, or kept back to be sent later than those that follow.
  void call(Random& random);
  // One that was kept back, or sent before, goes out (again).
  void send_again(Random& random);
  // An operator's act on a dead letter.
  void operate(Random& random);
  // status, wait, list or dead_letters.
  void read(Random& random);
  // A call on an engine at rest, of which the answer is known beforehand. World::stopped() may hold afterwards.
  void call_predicted(Random& random);
  // For the end, without dedup ids: an event that lets its instance go on, or none any more.
  void feed(const InstanceName& name, const std::string& event);
  void terminate(const InstanceName& name, bool discards);

  // The engine that had them is gone: nobody answers them any more.
  void forget_answers();
  // Sends all that has no answer that settles it; given lanes' order, one after the other.
  void repeat_unsettled(Random* lanes = nullptr);
  bool all_settled() const;
  // Waits for an end that were not answered by an engine that still lives.
  std::size_t waiting() const { return waiting_; }

 private:
  enum class Verb { event, both, start, terminate, redrive, discard, purge };
  struct Call {
    Verb verb = Verb::event;
    InstanceName name;
    std::string event, value, input, dedup_id;
    StartOptions start;
    bool discards = false;
    Position letter;
    bool sent = false;
    bool settled = false;  // done, or refused for good
    std::optional<Accepted> first;
    std::optional<Result<Accepted>> latest;
  };

  Call draw(Random& random);
  void purge(const InstanceName& name, Random& random);
  void send(std::size_t index);
  void dispatch(Call& call, const Callback<Accepted>& done);
  void answered(std::size_t index, std::uint64_t sequence, const Result<Accepted>& result);
  void check_accepted(Call& call, std::uint64_t sequence, const Accepted& accepted);
  void check_order(const Call& call, std::uint64_t sequence, const Accepted& accepted);
  void check_first(Call& call, const Accepted& accepted);
  void check_read(const InstanceState& state, const char* how);
  std::uint64_t times_forgotten(const InstanceName& name) const;
  std::optional<Acceptance> predict(const Call& call, ErrorCode& refusal) const;
  template <class T>
  Callback<T> heard(std::function<void(const Result<T>&)> check);
  std::string describe(const Call& call) const;

  World& world_;
  Verdict& verdict_;
  Trace& trace_;
  std::vector<Call> calls_;
  std::uint64_t sequence_ = 0;
  std::uint64_t newest_answered_ = 0;  // in this life of the engine
  Position newest_position_;
  std::size_t waiting_ = 0;
};

}  // namespace bobbin::sim
