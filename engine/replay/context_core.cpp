#include "engine/replay/context_core.hpp"

#include "engine/base/prefetch.hpp"

#include <bobbin/assert.hpp>

#include <algorithm>

namespace bobbin::detail {

namespace {

// Of one instance. Together with the engine's cap this keeps the process below the system's limit of memory mappings.
constexpr std::size_t fibers_max = 1'000;

// The core whose fibers run on this thread now; tells a call by a stranger from one of its own.
thread_local const ContextCore* running_core = nullptr;

Operation* find_ordinal(const std::vector<Operation*>& operations, std::uint32_t ordinal) {
  const auto at = std::find_if(operations.begin(), operations.end(),
                               [ordinal](const Operation* operation) { return operation->ordinal == ordinal; });
  return at == operations.end() ? nullptr : *at;
}

}  // namespace

ContextCore::ContextCore(InstanceName name, RunId run, std::shared_ptr<StackPool> stacks)
    : name_(std::move(name)), run_(run), fibers_(std::move(stacks)) {}

ContextCore::~ContextCore() { stop(); }

std::size_t ContextCore::stop() {
  stopped_ = true;
  const ContextCore* outer = std::exchange(running_core, this);
  const auto refused = fibers_.unwind_all();
  running_core = outer;
  return refused;
}

void ContextCore::check_caller() const {
  if (running_core != this || !fibers_.current())
    throw InvalidArgument("a context of '" + name_.orchestrator +
                          "' was used outside its instance's fibers: call it from the orchestrator's own code only");
}

void ContextCore::set_turn(LogTime now, bool replaying) {
  now_ = now;
  replaying_ = replaying;
}

void ContextCore::run_fibers() {
  const ContextCore* outer = std::exchange(running_core, this);
  fibers_.run();
  running_core = outer;
}

void ContextCore::emit(Decision decision) {
  if (!stopped_) decisions_.push_back(std::move(decision));
}

// ---- Calls of the instance's fibers ----

OperationPtr ContextCore::begin_wait(std::string_view event, const Operation* until) {
  check_caller();
  if (until && until->state == OperationState::cancelled)
    throw InvalidArgument("a wait for '" + std::string(event) + "' is bounded by a timer that was cancelled");
  OperationPtr wait(new Operation(*this, OperationKind::event_wait, ++last_ordinal_));
  wait->event = event;
  wait->until = until;
  if (until) wait->time = until->time;
  if (try_take(*wait)) return wait;
  if (until && !until->pending())
    wait->state = OperationState::timed_out;
  else
    waits_.push_back(wait.get());
  return wait;
}

bool ContextCore::try_take(Operation& wait) {
  const auto at =
      std::find_if(buffer_.begin(), buffer_.end(), [&wait](const Event& event) { return event.name == wait.event; });
  if (at == buffer_.end() || (wait.until && at->accepted_at >= wait.time)) return false;
  take(wait, *at);
  buffer_.erase(at);
  return true;
}

void ContextCore::take(Operation& wait, const Event& event) {
  emit(EventTaken{wait.ordinal, event.position});
  wait.value = event.value;
  wait.position = event.position;
  wait.time = event.accepted_at;
  wait.until = nullptr;
  settle(wait, OperationState::done);
}

void ContextCore::settle(Operation& operation, OperationState state) {
  operation.state = state;
  for (auto* task : operation.waiting) fibers_.wake(*task);
}

OperationPtr ContextCore::create_timer(LogTime due) {
  check_caller();
  OperationPtr timer(new Operation(*this, OperationKind::timer, ++last_ordinal_));
  timer->time = due;
  timers_.push_back(timer.get());
  emit(TimerCreated{timer->ordinal, due});
  return timer;
}

OperationPtr ContextCore::schedule(std::string_view activity, PayloadPtr input, ActivityOptions options) {
  check_caller();
  check_size("an activity's name", activity);
  if (!is_possible(options.retry))
    throw InvalidArgument("the retry policy of '" + std::string(activity) +
                          "' is impossible: factor >= 1, jitter 0 to 1, delays >= 0");
  OperationPtr operation(new Operation(*this, OperationKind::activity, ++last_ordinal_));
  activities_.push_back(operation.get());
  emit(ActivityScheduled{operation->ordinal, std::string(activity), std::move(input), std::move(options)});
  return operation;
}

OperationPtr ContextCore::start_fiber(std::function<void()> function) {
  check_caller();
  if (fibers_.size() > fibers_max)
    throw InvalidArgument("an instance of '" + name_.orchestrator + "' has " + std::to_string(fibers_max) +
                          " child fibers already: wait for some, or use several instances");
  OperationPtr child(new Operation(*this, OperationKind::fiber, ++last_ordinal_));
  // The task leads to the operation only as long as the handle exists: cancel() takes it away.
  auto link = std::make_shared<Operation*>(child.get());
  child->link = link;
  auto& task = fibers_.start([this, link, function = std::move(function)]() mutable {
    ErrorInfo error;
    try {
      function();
    } catch (const Unwind&) {
      function = nullptr;
      throw;
    } catch (...) {
      error = current_error();
    }
    function = nullptr;
    if (*link) {
      (*link)->error = error;
      settle(**link, OperationState::done);
    }
  });
  child->task = &task;
  return child;
}

bool ContextCore::satisfied(std::span<const Operation* const> operations, bool all) {
  const auto settled = [](const Operation* operation) { return !operation->pending(); };
  return all ? std::all_of(operations.begin(), operations.end(), settled)
             : std::any_of(operations.begin(), operations.end(), settled);
}

void ContextCore::await(std::span<const Operation* const> operations, bool all) {
  check_caller();
  FiberTask* self = fibers_.current();
  struct InLine {  // leaves the lines also when park() throws
    std::span<const Operation* const> operations;
    FiberTask* self;
    InLine(std::span<const Operation* const> them, FiberTask* me) : operations(them), self(me) {
      for (const auto* operation : operations) operation->waiting.push_back(self);
    }
    ~InLine() {
      for (const auto* operation : operations) {
        auto& line = operation->waiting;
        line.erase(std::remove(line.begin(), line.end(), self), line.end());
      }
    }
  };
  while (!satisfied(operations, all)) {
    const InLine in_line(operations, self);
    fibers_.park();
  }
}

void ContextCore::cancel(Operation& operation) {
  if (!operation.pending()) return;
  settle(operation, OperationState::cancelled);
  switch (operation.kind) {
    case OperationKind::timer:
      std::erase(timers_, &operation);
      for (auto* wait : std::vector(waits_))
        if (wait->until == &operation) cancel(*wait);
      emit(TimerCancelled{operation.ordinal});
      break;
    case OperationKind::event_wait:
      std::erase(waits_, &operation);
      emit(WaitCancelled{operation.ordinal, operation.event});
      break;
    case OperationKind::activity:
      std::erase(activities_, &operation);
      emit(ActivityCancelled{operation.ordinal});
      break;
    case OperationKind::fiber:
      *operation.link = nullptr;
      if (!stopped_ && operation.task) fibers_.unwind(*operation.task);
      break;
  }
}

// ---- Inputs ----

void ContextCore::start_main(std::function<void()> body) {
  fibers_.start(std::move(body));
  run_fibers();
}

void ContextCore::give_event(const Event& event) {
  const auto may_take = [&event](const Operation* wait) {
    return wait->event == event.name && (!wait->until || event.accepted_at < wait->time);
  };
  const auto at = std::find_if(waits_.begin(), waits_.end(), may_take);
  if (at == waits_.end()) {
    buffer_.push_back(event);
    return;
  }
  auto& wait = **at;
  waits_.erase(at);
  take(wait, event);
  run_fibers();
}

void ContextCore::fire_timer(std::uint32_t ordinal) {
  auto* timer = find_ordinal(timers_, ordinal);
  if (!timer) return;
  std::erase(timers_, timer);
  settle(*timer, OperationState::done);
  for (auto* wait : std::vector(waits_))
    if (wait->until == timer) {
      std::erase(waits_, wait);
      settle(*wait, OperationState::timed_out);
    }
  run_fibers();
}

void ContextCore::finish_activity(std::uint32_t ordinal, PayloadPtr result, const ErrorInfo& error) {
  auto* activity = find_ordinal(activities_, ordinal);
  if (!activity) return;
  std::erase(activities_, activity);
  activity->value = std::move(result);
  activity->error = error;
  settle(*activity, OperationState::done);
  run_fibers();
}

void ContextCore::prefetch_waits() const {
  if (!waits_.empty()) prefetch_bytes(waits_.front(), sizeof(Operation));
  if (!timers_.empty()) prefetch_bytes(timers_.front(), cache_line);
  prefetch_bytes(decisions_.data(), sizeof(Decision));
  fibers_.prefetch_task();
}

const Operation* ContextCore::first_timer() const {
  const auto at = std::min_element(timers_.begin(), timers_.end(),
                                   [](const Operation* a, const Operation* b) { return a->time < b->time; });
  return at == timers_.end() ? nullptr : *at;
}

}  // namespace bobbin::detail
