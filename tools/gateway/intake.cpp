#include "tools/gateway/intake.hpp"

#include "tools/gateway/address.hpp"
#include "tools/smpp/text.hpp"

#include <bobbin/workflows/sms_consolidation.hpp>

#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include <utility>

namespace bobbin::gateway {

namespace {

std::string conversation_key(const workflows::Sms& sms) { return sms.from + "\t" + sms.to; }

// What a peer may do about an error, in SMPP's words: come again, or see that it is our fault.
smpp::Status status_of(const ErrorInfo& error) {
  switch (error.code) {
    case ErrorCode::none:
      return smpp::Status::ok;
    case ErrorCode::overloaded:
      return smpp::Status::throttled;
    case ErrorCode::storage_full:
      return smpp::Status::queue_full;
    case ErrorCode::application:
    case ErrorCode::cancelled:
    case ErrorCode::timed_out:
    case ErrorCode::invalid_argument:
    case ErrorCode::not_found:
    case ErrorCode::already_exists:
    case ErrorCode::outcome_unknown:
    case ErrorCode::closed:
    case ErrorCode::locked:
    case ErrorCode::corrupt:
    case ErrorCode::unsupported_format:
    case ErrorCode::terminated:
      return smpp::Status::system_error;
  }
  return smpp::Status::system_error;
}

Answer memory_of(const ErrorInfo& error) {
  if (!error) return Answer::accepted;
  return error.code == ErrorCode::outcome_unknown ? Answer::unknown : Answer::refused;
}

http::Response problem(unsigned status, const std::string& reason) {
  http::Response response{status, nlohmann::json{{"error", reason}}.dump(), "application/json", {}};
  if (status == 503) response.headers.push_back({"Retry-After", "1"});
  return response;
}

http::Response response_to(const Result<Accepted>& result) {
  if (result.error) return problem(503, "not accepted: " + result.error.message + "; send it again later");
  const nlohmann::json body{{"message_id", to_string(result.value.position)},
                            {"repeated", result.value.how == Acceptance::duplicate}};
  return {202, body.dump(), "application/json", {}};
}

workflows::Sms sms_of(const smpp::Submit& submit, const std::string& country_code) {
  workflows::Sms sms;
  sms.from = canonical_address(submit.source.ton, submit.source.npi, submit.source.digits, country_code);
  sms.to = canonical_address(submit.destination.ton, submit.destination.npi, submit.destination.digits, country_code);
  sms.account = submit.account;
  auto text = smpp::decode_text(submit.data_coding, submit.content);
  sms.text = std::move(text.utf8);
  // The octets go along when the text does not tell them, or is only a piece that may end within a character.
  if (text.fidelity != smpp::Fidelity::exact || submit.part) sms.binary_hex = smpp::to_hex(submit.content);
  if (submit.part) {
    sms.part_reference = submit.part->reference;
    sms.part_total = submit.part->total;
    sms.part_number = submit.part->index;
  }
  return sms;
}

}  // namespace

Intake::Intake(Engine& engine, Retransmission& retransmission, workflows::SmsWindow window, std::string country_code,
               std::function<void(std::function<void()>)> post, std::function<Retransmission::Time()> now,
               NoteRepetition note_repetition, std::shared_ptr<spdlog::logger> log)
    : engine_(engine),
      retransmission_(retransmission),
      window_(std::move(window)),
      country_code_(std::move(country_code)),
      post_(std::move(post)),
      now_(std::move(now)),
      note_repetition_(std::move(note_repetition)),
      log_(std::move(log)) {}

void Intake::on_submit(const smpp::Submit& submit, smpp::Reply reply) {
  auto sms = sms_of(submit, country_code_);
  Incoming incoming;
  incoming.session = submit.session;
  incoming.account = submit.account;
  incoming.source = sms.from;
  incoming.destination = sms.to;
  incoming.data_coding = submit.data_coding;
  incoming.content = submit.content;
  incoming.user_message_reference = submit.user_message_reference;
  incoming.part = submit.part;
  const auto judgement = retransmission_.judge(incoming, now_());
  if (judgement.kind == Judgement::Kind::overloaded) {
    ++counters_.refused;
    return reply(smpp::Status::throttled);
  }
  // std::function wants what it holds to be copyable.
  auto shared_reply = std::make_shared<smpp::Reply>(std::move(reply));
  accept(sms, judgement, [this, ticket = judgement.ticket, shared_reply](const auto& result) {
    retransmission_.answered(ticket, memory_of(result.error), now_());
    (*shared_reply)(status_of(result.error), result ? to_string(result.value.position) : std::string());
  });
}

void Intake::on_session_closed(smpp::SessionId session) { retransmission_.session_closed(session, now_()); }

void Intake::on_http(const std::string& client, const http::Request& request, http::Respond respond) {
  const auto parsed = parse_sms_request(request.body);
  if (const auto* refusal = std::get_if<Refusal>(&parsed)) {
    ++counters_.refused;
    return respond(problem(refusal->http_status, refusal->reason));
  }
  const auto& message = std::get<SmsRequest>(parsed);
  workflows::Sms sms;
  sms.from = canonical_address(0, 0, message.from, country_code_);
  sms.to = canonical_address(0, 0, message.to, country_code_);
  sms.text = message.text;
  sms.account = client;
  Incoming incoming;
  incoming.account = client;
  incoming.source = sms.from;
  incoming.destination = sms.to;
  incoming.content = message.text;
  const auto judgement =
      message.message_id
          ? Judgement{Judgement::Kind::derived, dedup_id_of_client(client, sms.from, sms.to, *message.message_id), 0}
          : Judgement{Judgement::Kind::fresh, retransmission_.fresh_dedup_id(incoming), 0};
  auto shared_respond = std::make_shared<http::Respond>(std::move(respond));
  accept(sms, judgement, [shared_respond](const auto& result) { (*shared_respond)(response_to(result)); });
}

// A flood of refusals must not become one of log lines.
void Intake::count_refusal(const ErrorInfo& error) {
  ++counters_.refused;
  const auto now = std::chrono::steady_clock::now();
  if (now < quiet_until_) {
    ++refused_quietly_;
    return;
  }
  log_->warn("a message was not accepted (nor were {} since the last such line): {}",
             std::exchange(refused_quietly_, 0), error.message);
  quiet_until_ = now + std::chrono::seconds(1);
}

void Intake::finish(const Result<Accepted>& result, const OnAnswer& answer) {
  if (result.error)
    count_refusal(result.error);
  else
    ++(result.value.how == Acceptance::duplicate ? counters_.repeated : counters_.accepted);
  answer(result);
}

void Intake::accept(const workflows::Sms& sms, const Judgement& judgement, const OnAnswer& answer) {
  // The log says nothing of what was judged a repetition, and the next life must know of it.
  const auto noted = [this, judgement, answer](const Result<Accepted>& result) {
    const bool repeated = judgement.kind == Judgement::Kind::repeated;
    if (!repeated || result.error || result.value.how != Acceptance::duplicate) return finish(result, answer);
    note_repetition_(judgement.dedup_id, [this, result, answer](const ErrorInfo& error) {
      finish(error ? Result<Accepted>{error, {}} : result, answer);
    });
  };
  const InstanceName conversation{workflows::sms_consolidation, conversation_key(sms)};
  try {
    engine_.raise_event_with_start(
        conversation, window_, workflows::sms_event, sms, {.dedup_id = judgement.dedup_id},
        [this, noted](const Result<Accepted>& result) { post_([noted, result] { noted(result); }); });
  } catch (const Error& error) {
    finish({error.info(), {}}, answer);
  }
}

}  // namespace bobbin::gateway
