// What all simulated hosts have in common: steps one by one, the faults among them, and lives of an engine that end and
// begin again.
#pragma once

#include "tests/sim/simulation.hpp"
#include "tests/sim/world.hpp"

namespace bobbin::sim {

class Scenario {
 public:
  Scenario(const Plan& plan, WorldOptions options, World::Registration registration)
      : plan_(plan), world_(std::move(options), std::move(registration), verdict_, trace_) {}
  virtual ~Scenario() = default;
  Scenario(const Scenario&) = delete;
  Scenario& operator=(const Scenario&) = delete;

  Outcome run();

 protected:
  // A step that is no fault.
  virtual void act(const Step& step, Random& random) = 0;
  // Without faults: all that goes on comes to its end.
  virtual void finish(Random& random) = 0;
  // The engine's life has ended, and all that hung on it.
  virtual void engine_gone() = 0;
  // The log is open, and no engine owns it yet.
  virtual void log_opened(Store&) {}
  virtual void engine_back() = 0;

  // The engine's life ends, if it has not yet, and a new one begins.
  void reopen();
  void end_activities(Random& random);

  const Plan& plan_;
  Verdict verdict_;
  Trace trace_;
  World world_;
  CodeVersion next_code_;
  Duration slowest_commit_{std::chrono::seconds(3)};

 private:
  void take(const Step& step, Random& random);
  void fail_commit(bool host_dies, Random& random);
  void come_back(Random& random);

  std::uint64_t steps_ = 0;
  std::uint64_t crashes_ = 0;
};

// Options that any engine may be given.
EngineOptions drawn_options(Random& random);

std::unique_ptr<Scenario> workload_scenario(const Plan& plan);
std::unique_ptr<Scenario> gateway_scenario(const Plan& plan);

}  // namespace bobbin::sim
