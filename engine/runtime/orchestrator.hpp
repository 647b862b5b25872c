// The orchestrator lane: requests in, turns and records, sealed batches out. Everything that decides runs here, on one
// thread, and nothing here waits for a disk.
#pragma once

#include "engine/runtime/acceptor.hpp"
#include "engine/runtime/activity_desk.hpp"
#include "engine/runtime/core.hpp"
#include "engine/runtime/inbox.hpp"
#include "engine/runtime/operator_acts.hpp"
#include "engine/runtime/reads.hpp"
#include "engine/runtime/residency.hpp"
#include "engine/runtime/turns.hpp"

#include <atomic>
#include <memory>
#include <vector>

namespace bobbin {

class Orchestrator {
 public:
  Orchestrator(Core& core, const std::shared_ptr<Inbox>& inbox, LogWriter& writer, Completions& completions);

  // Folds the log's tail over the stored rows, and records the opening. Before the lanes start.
  void recover();

  // The lane's work.
  void work();

  // Any thread, in this order. Closing: no activity is started, running ones are told to stop. Finishing: the lane goes
  // on only until what it has is committed, then unwinds the fibers.
  void begin_close() { closing_ = true; }
  void finish() { finishing_ = true; }
  bool finished() const { return finished_.load(std::memory_order_acquire); }

 private:
  void step();
  void advance_clock();
  bool take_requests();
  void refill();
  void prefetch();
  void handle(Request& request);
  void attempt_done(const AttemptDone& done);
  bool fire_timers();
  bool catch_up();
  std::optional<Instance*> find_sound(const InstanceId& id, const char* consequence);
  void after_commit();
  void count();
  void hand_over(bool more);
  // While the writer waits for room.
  void give_relief();
  void take_relief();
  bool leaves_rows() const;
  void submit(bool waited_for);
  void sleep_until_next();
  void end_work();
  void remember_dedup_ids(const Record& record);
  bool begins_successor(const Record& record, Position event);
  void refuse_all();
  void refuse_waiters(const ErrorInfo& error);
  static void refuse(Request& request, const ErrorInfo& error, std::vector<Completion>& refused);
  void fail(const ErrorInfo& error);

  Core& core_;
  Inbox& inbox_;
  LogWriter& writer_;
  Completions& completions_;
  Residency residency_;
  ActivityDesk desk_;
  Mailbox mailbox_;
  Turns turns_;
  Acceptor acceptor_;
  Reads reads_;
  OperatorActs operator_acts_;
  std::vector<Request> taken_;  // from the inbox
  std::size_t handled_ = 0;     // of them
  std::vector<AttemptDone> outcomes_;
  Position began_successor_;  // recovery: the last event seen that began a successor
  Lsn seen_durable_ = 0;
  bool stopped_ = false;  // failed: nothing is done any more
  bool relieving_ = false;
  std::atomic<bool> closing_{false};
  std::atomic<bool> finishing_{false};
  std::atomic<bool> finished_{false};
};

}  // namespace bobbin
