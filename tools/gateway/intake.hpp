// Messages in: from SMPP and HTTP into the engine, each acknowledged after its commit (S24, S29, S30).
#pragma once

#include "tools/gateway/config.hpp"
#include "tools/gateway/http_api.hpp"
#include "tools/gateway/retransmission.hpp"
#include "tools/http/server.hpp"
#include "tools/smpp/server.hpp"

#include <bobbin/engine.hpp>
#include <bobbin/workflows/sms.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>

namespace spdlog {
class logger;
}

namespace bobbin::gateway {

struct IntakeCounters {
  std::atomic<std::uint64_t> accepted{0}, repeated{0}, refused{0};
};

// What the engine answered, on the I/O thread.
using OnAnswer = std::function<void(const Result<Accepted>&)>;

// Notes a repetition that is about to be acknowledged and then, on the I/O thread, calls back; an error: it is not
// noted, and must come again.
using NoteRepetition = std::function<void(const std::string& dedup_id, std::function<void(const ErrorInfo&)> then)>;

// I/O thread only. `post` takes a function to the I/O thread, from any thread; `now` is the clock of the
// retransmissions.
class Intake final : public smpp::SubmitHandler {
 public:
  Intake(Engine& engine, Retransmission& retransmission, workflows::SmsWindow window, std::string country_code,
         std::function<void(std::function<void()>)> post, std::function<Retransmission::Time()> now,
         NoteRepetition note_repetition, std::shared_ptr<spdlog::logger> log);

  void on_submit(const smpp::Submit& submit, smpp::Reply reply) override;
  void on_session_closed(smpp::SessionId session) override;

  // POST /sms of an authenticated client.
  void on_http(const std::string& client, const http::Request& request, http::Respond respond);

  const IntakeCounters& counters() const { return counters_; }

 private:
  void count_refusal(const ErrorInfo& error);
  void accept(const workflows::Sms& sms, const Judgement& judgement, const OnAnswer& answer);
  void finish(const Result<Accepted>& result, const OnAnswer& answer);

  Engine& engine_;
  Retransmission& retransmission_;
  const workflows::SmsWindow window_;
  const std::string country_code_;
  std::function<void(std::function<void()>)> post_;
  std::function<Retransmission::Time()> now_;
  NoteRepetition note_repetition_;
  std::shared_ptr<spdlog::logger> log_;
  IntakeCounters counters_;
  std::chrono::steady_clock::time_point quiet_until_{};
  std::uint64_t refused_quietly_ = 0;
};

}  // namespace bobbin::gateway
