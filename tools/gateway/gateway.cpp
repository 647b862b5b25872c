#include "tools/gateway/gateway.hpp"

#include "tools/gateway/admin.hpp"
#include "tools/gateway/batch_json.hpp"
#include "tools/gateway/delivery.hpp"
#include "tools/gateway/intake.hpp"
#include "tools/gateway/lives.hpp"
#include "tools/gateway/repetitions.hpp"
#include "tools/gateway/restart.hpp"
#include "tools/gateway/sign.hpp"

#include <bobbin/engine.hpp>
#include <bobbin/spdlog.hpp>
#include <bobbin/workflows/sms_consolidation.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <spdlog/spdlog.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <random>
#include <system_error>
#include <utility>

namespace bobbin::gateway {

namespace {

namespace asio = boost::asio;

constexpr int exit_engine_failed = 3;

workflows::SmsWindow window_of(const GatewayConfig& config) {
  workflows::SmsWindow window;
  const auto& retry = config.delivery.retry;
  window.length = config.window.length;
  window.max_messages = static_cast<std::uint32_t>(config.window.messages_max);
  window.max_bytes = config.window.bytes_max;
  window.delivery_attempts = retry.attempts_max;
  window.delivery_first_delay = retry.first_delay;
  window.delivery_factor = retry.factor;
  window.delivery_delay_cap = retry.cap;
  window.delivery_jitter = retry.jitter;
  window.delivery_total_time = retry.total_time.count() == 0 ? Duration::max() : Duration(retry.total_time);
  return window;
}

EngineOptions options_of(const GatewayConfig& config, std::shared_ptr<spdlog::logger> log) {
  EngineOptions options;
  options.inbox_requests = config.engine.inbox_count_max;
  options.inbox_bytes = config.engine.inbox_bytes_max;
  options.resident_instances = config.engine.fibers_max;
  options.unread_events = config.engine.unread_messages_max;
  options.pending_activities = config.engine.pending_batches_max;
  options.retention = config.engine.retention;
  options.activity_threads = config.delivery.concurrency;
  options.log = log_to(log);
  // Nothing may be acknowledged any more, and only a new process can find out what is durable.
  options.on_failure = [log](const ErrorInfo& error) {
    log->critical("the log can no longer be written: {}; stopping at once, start the gateway again", error.message);
    log->flush();
    std::_Exit(exit_engine_failed);
  };
  return options;
}

smpp::ServerOptions smpp_options(const SmppConfig& config) {
  smpp::ServerOptions options;
  options.address = config.address;
  options.port = config.port;
  for (const auto& account : config.accounts) options.accounts.push_back({account.system_id, account.password});
  options.window = config.window;
  options.sessions_max = config.sessions_max;
  options.bind_timeout = config.bind_timeout;
  options.enquire_interval = config.enquire_interval;
  options.enquire_timeout = config.enquire_timeout;
  return options;
}

http::ServerOptions http_options(const HttpConfig& config) {
  http::ServerOptions options;
  options.address = config.address;
  options.port = config.port;
  options.connections_max = config.connections_max;
  options.body_bytes_max = config.body_bytes_max;
  options.read_timeout = config.read_timeout;
  return options;
}

http::ServerOptions admin_options(const AdminConfig& config) {
  http::ServerOptions options;
  options.address = config.address;
  options.port = config.port;
  return options;
}

std::function<std::uint64_t()> random_source() {
  return [device = std::make_shared<std::random_device>()] {
    return std::uint64_t{(*device)()} << 32 | std::uint64_t{(*device)()};
  };
}

bool is_full(const std::system_error& error) {
  return error.code().value() == ENOSPC || error.code().value() == EDQUOT;
}

class Gateway {
 public:
  Gateway(const GatewayConfig& config, const http::CurlGlobal& curl, std::shared_ptr<spdlog::logger> log,
          const StoreOpener& open_store)
      : config_(config),
        log_(std::move(log)),
        delivery_(curl, config.delivery, log_),
        lives_(config.data_directory),
        repetitions_(config.data_directory),
        retransmission_(retransmission_options_, random_source()),
        beat_timer_(io_),
        signals_(io_, SIGTERM, SIGINT) {
    open_engine(open_store);
    intake_.emplace(
        *engine_, retransmission_, window_of(config), config.country_code, to_io(), &Retransmission::Time::clock::now,
        [this](const auto& dedup_id, auto then) { note_repetition(dedup_id, std::move(then)); }, log_);
    listen();
  }

  // First the engine: until it is closed, its answers go through all the others.
  ~Gateway() {
    aside_.join();
    engine_.reset();
  }
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  int run() {
    signals_.async_wait([this](const boost::system::error_code& error, int) {
      if (!error) drain();
    });
    beat();
    io_.run();
    aside_.join();
    engine_->close(config_.drain_timeout);
    log_->info("drained; everything accepted is in the log");
    return 0;
  }

 private:
  void open_engine(const StoreOpener& open_store) {
    LmdbOptions options;
    options.log_line = [log = log_](std::string_view line) { log->info("log: {}", line); };
    auto store = open_store(config_.data_directory, options);
    const auto remembered =
        seed_after_restart(*store, {lives_.earlier(), repetitions_.all()}, Retransmission::Time::clock::now(),
                           retransmission_options_, retransmission_);
    opened_behind_ = store->info().last_lsn;
    const auto last = store->snapshot()->record(opened_behind_);
    note([&] { lives_.begin(last ? &*last : nullptr, retransmission_options_.absorb_for); });
    note([&] { repetitions_.begin(lives_.first_lsn(), retransmission_options_.absorb_for); });
    if (remembered != 0)
      log_->info("{} messages of just before the last end may be repeated by their senders", remembered);
    Registry registry;
    workflows::register_sms_consolidation(registry, batch_json);
    registry.activity(workflows::deliver_batch,
                      [this](const ActivityContext& context, const workflows::BatchDelivery& batch) {
                        return delivery_.deliver(context, batch);
                      });
    engine_ = std::make_unique<Engine>(std::move(store), std::move(registry), options_of(config_, log_));
  }

  void listen() {
    if (config_.smpp) {
      smpp_.emplace(io_, smpp_options(*config_.smpp), *intake_, log_);
      log_->info("SMPP on {}:{}", config_.smpp->address, smpp_->port());
    }
    if (config_.http) {
      for (const auto& client : config_.http->clients) http_tokens_.push_back(client.token);
      http_.emplace(
          io_, http_options(*config_.http),
          [this](const http::Request& request, http::Respond respond) { on_http(request, std::move(respond)); }, log_);
      log_->info("HTTP on {}:{}", config_.http->address, http_->port());
    }
    admin_.emplace(Admin::Sources{*engine_, intake_->counters(), smpp_ ? &smpp_->counters() : nullptr,
                                  http_ ? &http_->counters() : nullptr},
                   config_.admin.token, [this](std::function<void()> act) { asio::post(aside_, std::move(act)); });
    admin_server_.emplace(
        io_, admin_options(config_.admin),
        [this](const http::Request& request, http::Respond respond) { admin_->handle(request, std::move(respond)); },
        log_);
    log_->info("admin on {}:{}", config_.admin.address, admin_server_->port());
  }

  void on_http(const http::Request& request, http::Respond respond) {
    const auto client = find_bearer(request.header("Authorization"), http_tokens_);
    if (!client)
      return respond(
          {401, R"({"error":"give your token as 'Authorization: Bearer <token>'"})", "application/json", {}});
    if (request.path != "/sms")
      return respond({404, R"({"error":"messages go to POST /sms"})", "application/json", {}});
    if (request.method != "POST")
      return respond({405, R"({"error":"messages go to POST /sms"})", "application/json", {{"Allow", "POST"}}});
    intake_->on_http(config_.http->clients[*client].name, request, std::move(respond));
  }

  // Only a life that can write counts: the log tells nothing of another, and what was accepted before it may still be
  // repeated after it.
  void beat() {
    if (engine_->stats().durable_lsn > opened_behind_ && !noting_.exchange(true))
      asio::post(aside_, [this] {
        note([this] { lives_.beat(); });
        noting_ = false;
      });
    beat_timer_.expires_after(Lives::interval);
    beat_timer_.async_wait([this](const boost::system::error_code& error) {
      if (!error) beat();
    });
  }

  // Notes are for the next life only: a disk that is full does not keep this one from its work, and one that fails
  // shows itself by the log, too, once it is open.
  void note(const std::function<void()>& write) {
    try {
      write();
    } catch (const std::system_error& error) {
      if (!engine_ && !is_full(error)) throw;
      if (!std::exchange(told_of_notes_, true))
        log_->warn("{}: after a restart, messages of just before it may be taken in twice when they are repeated",
                   error.what());
    }
  }

  // One sync for all that have gathered since the last.
  void note_repetition(const std::string& dedup_id, std::function<void(const ErrorInfo&)> then) {
    const std::lock_guard lock(unnoted_mutex_);
    unnoted_.emplace_back(dedup_id, std::move(then));
    if (unnoted_.size() == 1) asio::post(aside_, [this] { note_repetitions(); });
  }

  void note_repetitions() {
    std::vector<Unnoted> noting;
    {
      const std::lock_guard lock(unnoted_mutex_);
      noting.swap(unnoted_);
    }
    std::vector<std::string> dedup_ids;
    for (const auto& [dedup_id, then] : noting) dedup_ids.push_back(dedup_id);
    ErrorInfo failure;
    try {
      repetitions_.note(dedup_ids, lives_.lived());
    } catch (const std::system_error& error) {
      failure = {is_full(error) ? ErrorCode::storage_full : ErrorCode::outcome_unknown, {}, error.what(), false};
    }
    asio::post(io_, [noting = std::move(noting), failure] {
      for (const auto& [dedup_id, then] : noting) then(failure);
    });
  }

  // Ways in close one by one; the engine closes when the last is gone.
  void drain() {
    log_->info("draining: no new messages, for at most {} ms", config_.drain_timeout.count());
    const auto deadline = config_.drain_timeout;
    const auto after_http = [this, deadline] { admin_server_->drain(deadline, [this] { io_.stop(); }); };
    const auto after_smpp = [this, deadline, after_http] { http_ ? http_->drain(deadline, after_http) : after_http(); };
    smpp_ ? smpp_->drain(deadline, after_smpp) : after_smpp();
  }

  std::function<void(std::function<void()>)> to_io() {
    return [this](std::function<void()> act) { asio::post(io_, std::move(act)); };
  }

  const GatewayConfig& config_;
  std::shared_ptr<spdlog::logger> log_;
  asio::io_context io_;
  asio::thread_pool aside_{1};
  Delivery delivery_;
  Lives lives_;              // aside, once the engine is open
  Repetitions repetitions_;  // likewise
  using Unnoted = std::pair<std::string, std::function<void(const ErrorInfo&)>>;
  std::mutex unnoted_mutex_;
  std::vector<Unnoted> unnoted_;
  std::atomic<bool> noting_{false};
  bool told_of_notes_ = false;
  RetransmissionOptions retransmission_options_;
  Retransmission retransmission_;
  asio::steady_timer beat_timer_;
  asio::signal_set signals_;
  std::vector<std::string> http_tokens_;
  Lsn opened_behind_ = 0;  // the log's last record before this life
  std::unique_ptr<Engine> engine_;
  std::optional<Intake> intake_;
  std::optional<Admin> admin_;
  std::optional<smpp::Server> smpp_;
  std::optional<http::Server> http_;
  std::optional<http::Server> admin_server_;
};

}  // namespace

int run_gateway(const GatewayConfig& config, const http::CurlGlobal& curl, std::shared_ptr<spdlog::logger> log,
                const StoreOpener& open_store) {
  return Gateway(config, curl, std::move(log), open_store).run();
}

}  // namespace bobbin::gateway
