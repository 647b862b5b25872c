// The engine put together and taken apart.
#include "engine/runtime/engine_impl.hpp"
#include "engine/runtime/option_check.hpp"
#include "engine/runtime/thread_executor.hpp"
#include "engine/runtime/thread_runner.hpp"

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

}  // namespace

void check_dedup_id(const std::string& id) {
  if (!id.empty()) check_size("a dedup id", id);
}

Engine::Impl::Impl(std::unique_ptr<Store> its_store, Registry its_registry, EngineOptions its_options, Ports its_ports)
    : options(checked(std::move(its_options))),
      store(std::move(its_store)),
      registry(std::move(its_registry)),
      ports(with_defaults(std::move(its_ports), registry, options)),
      core(*store, registry, options, ports),
      inbox(std::make_shared<Inbox>(options.inbox_requests, options.inbox_bytes)),
      completions(*ports.executor, *inbox),
      writer(*store, completions, *ports.executor, core.info.last_lsn,
             [this](const ErrorInfo& error) { failed(error); }),
      orchestrator(core, inbox, writer, completions) {
  orchestrator.recover();
  ports.executor->start([this](Lane lane) { work(lane); });
  ports.executor->wake(Lane::orchestrator);
}

void Engine::Impl::work(Lane lane) {
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
      core.batches.work();
      break;
  }
  on_lane = outer;
}

void Engine::Impl::check_not_on_lane() const {
  if (on_lane)
    throw InvalidArgument("a blocking call on the engine's own thread would wait for itself: use the callback form");
}

void Engine::Impl::close(Duration limit) {
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

Engine::Engine(std::unique_ptr<Store> store, Registry registry, EngineOptions options, Ports ports)
    : impl_(std::make_unique<Impl>(std::move(store), std::move(registry), std::move(options), std::move(ports))) {}

Engine::~Engine() = default;

void Engine::close(Duration limit) { impl_->close(limit); }

}  // namespace bobbin
