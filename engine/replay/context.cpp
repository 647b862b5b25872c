// The non-template halves of Context and the handles.
#include "engine/replay/context_core.hpp"

#include <bobbin/assert.hpp>
#include <bobbin/context.hpp>

#include <algorithm>

namespace bobbin {

namespace detail {

void OperationDeleter::operator()(Operation* operation) const noexcept {
  operation->core->cancel(*operation);
  delete operation;
}

}  // namespace detail

using detail::Operation;
using detail::OperationPtr;
using detail::OperationState;

bool Awaitable::ready() const { return !operation_->pending(); }
void Awaitable::cancel() {
  operation_->core->check_caller();
  operation_->core->cancel(*operation_);
}
const PayloadPtr& Awaitable::value() const { return operation_->value; }
LogTime Awaitable::time() const { return operation_->time; }
Position Awaitable::position() const { return operation_->position; }

void Awaitable::await() const {
  const Operation* operation = operation_.get();
  operation->core->await({&operation, 1}, true);
  if (operation->state == OperationState::cancelled)
    throw Cancelled("the awaited work was cancelled by its own instance");
  if (operation->state == OperationState::timed_out)
    throw TimedOut("the wait for '" + operation->event + "' timed out");
  if (operation->error) throw_error(operation->error);
}

LogTime Context::now() const { return core_.now(); }
const InstanceName& Context::name() const { return core_.name(); }
RunId Context::run() const { return core_.run(); }
bool Context::replaying() const { return core_.replaying(); }

Timer Context::create_timer_at(LogTime due) { return Timer(core_.create_timer(due)); }

OperationPtr Context::begin_wait(std::string_view event, Operation* until) { return core_.begin_wait(event, until); }

bool Context::await_bounded(Operation& wait) {
  const Operation* operation = &wait;
  core_.await({&operation, 1}, true);
  return wait.state != OperationState::timed_out;
}

OperationPtr Context::schedule(std::string_view activity, PayloadPtr input, ActivityOptions options) {
  return core_.schedule(activity, std::move(input), std::move(options));
}

OperationPtr Context::start_fiber(std::function<void()> function) { return core_.start_fiber(std::move(function)); }

namespace {
std::vector<const Operation*> operations_of(std::span<const Awaitable* const> awaitables,
                                            const Operation* (*get)(const Awaitable&)) {
  std::vector<const Operation*> operations;
  operations.reserve(awaitables.size());
  for (const auto* awaitable : awaitables) operations.push_back(get(*awaitable));
  return operations;
}
}  // namespace

std::size_t Context::when_any(std::span<const Awaitable* const> awaitables) {
  if (awaitables.empty()) throw InvalidArgument("when_any needs at least one handle: with none it would wait for ever");
  const auto get = [](const Awaitable& awaitable) -> const Operation* { return awaitable.operation_.get(); };
  core_.await(operations_of(awaitables, get), false);
  const auto ready = [](const Awaitable* awaitable) { return awaitable->ready(); };
  return static_cast<std::size_t>(std::find_if(awaitables.begin(), awaitables.end(), ready) - awaitables.begin());
}

void Context::when_all(std::span<const Awaitable* const> awaitables) {
  const auto get = [](const Awaitable& awaitable) -> const Operation* { return awaitable.operation_.get(); };
  core_.await(operations_of(awaitables, get), true);
}

}  // namespace bobbin
