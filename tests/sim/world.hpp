// A simulated host: a disk that outlives engines, virtual time, activities, and an engine that crashes and comes back.
// Whatever becomes durable is held against the model as it does.
#pragma once

#include "tests/sim/executor.hpp"
#include "tests/sim/model.hpp"
#include "tests/sim/runner.hpp"
#include "tests/sim/scratch_fold.hpp"
#include "tests/sim/store.hpp"

#include <bobbin/engine.hpp>

#include <functional>
#include <map>

namespace bobbin {
class StackPool;
}

namespace bobbin::sim {

struct WorldOptions {
  std::uint64_t seed = 1;
  bool lmdb = false;
  std::size_t activity_capacity = 1'000;
  EngineOptions engine;
  bool show = false;  // every record as it becomes durable, on stderr
  // Around the store, below the faults: for tests of the simulation itself.
  std::function<std::unique_ptr<Store>(std::unique_ptr<Store>)> around_store;
};

class World {
 public:
  using Registration = std::function<void(Registry&, CodeVersion)>;
  World(WorldOptions options, Registration registration, Verdict& verdict, Trace& trace);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // ---- The engine's lives ----
  // `before` sees the store before an engine owns it.
  void open(CodeVersion code, const std::function<void(Store&)>& before = {});
  // The engine vanishes with all that is not committed; nobody hears from it again.
  void crash();
  // It closes in order; what it commits on the way counts.
  void close();
  // The engine has stopped by itself, or its disk is gone.
  bool stopped() const { return failed_ || !faults_->power; }
  // The engine rides out a full disk.
  bool full() const { return engine_->stats().storage_full; }
  // Whether answers are still heard.
  bool alive() const { return alive_ && (faults_->power || !faults_->host_dies); }
  std::uint64_t life() const { return life_; }

  Engine& engine() { return *engine_; }
  Model& model() { return model_; }
  const Model& model() const { return model_; }
  SimClock& clock() { return *clock_; }
  SimExecutor& executor() { return *executor_; }
  SimRunner& runner() { return runner_; }
  CommitFaults& faults() { return *faults_; }
  // None from here on; what was found stays known.
  void end_faults() { *faults_ = CommitFaults{.full_found = faults_->full_found}; }
  EngineOptions& options() { return options_.engine; }
  CodeVersion code() const { return code_; }

  // ---- Time ----
  // Runs lanes until none is ready.
  void settle(Random& random);
  // Time passes, stopping at every moment at which something wants to happen.
  void pass(Duration time, Random& random);
  void wake() { executor_->wake(Lane::orchestrator); }

  // ---- Checks ----
  // All that is due by now has happened; then the engine's books are held against the model and the scratch fold.
  void check_at_rest(Random& random);
  // From now on the whole log is read at each open, not at some.
  void read_all_at_opens() { thorough_ = true; }
  // Every live run's history replays to itself with the code that it began with.
  void check_replays();

 private:
  void committed(const Batch& batch);
  void check_opened(Store& store);
  void check_log(Snapshot& snapshot);
  void check_leftovers(Snapshot& snapshot, const std::map<InstanceId, Lsn>& newest);
  void check_ledgers(const std::vector<Ledger>& ledgers);
  void check_letters(const std::vector<DeadLetter>& letters);
  void say(LogLevel level, const std::string& line);

  WorldOptions options_;
  Registration registration_;
  Verdict& verdict_;
  Trace& trace_;
  Model model_;
  ScratchFold scratch_;
  std::vector<std::uint64_t> record_hashes_;  // by LSN, from 1
  std::unique_ptr<Disk> disk_;
  std::shared_ptr<SimClock> clock_ = std::make_shared<SimClock>();
  std::shared_ptr<CommitFaults> faults_ = std::make_shared<CommitFaults>();
  std::shared_ptr<SimExecutor> executor_;
  SimRunner runner_;
  std::shared_ptr<StackPool> stacks_;
  std::unique_ptr<Engine> engine_;
  CodeVersion code_;
  Lsn opened_behind_ = 0;  // the log's last record before this life
  Elapsed purged_at_{};    // the latest purge
  bool thorough_ = false;
  bool failed_ = false;
  bool alive_ = false;
  std::uint64_t forgotten_ = 0;  // rows, in all
  std::uint64_t life_ = 0;
};

}  // namespace bobbin::sim
