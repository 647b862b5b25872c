#include "tools/smpp/session.hpp"

#include "tools/smpp/encode.hpp"
#include "tools/smpp/secret.hpp"

#include <boost/asio/dispatch.hpp>

namespace bobbin::smpp {
namespace {

constexpr std::uint32_t own_unbind_sequence = 1;

LinkOptions link_options(const ServerOptions& options) {
  LinkOptions link;
  link.pdu_bytes_max = options.pdu_bytes_max;
  link.unsent_bytes_max = options.unsent_bytes_max;
  link.idle = options.enquire_interval;
  link.answer_time = options.enquire_timeout;
  return link;
}

bool is_response(Command command) { return (static_cast<std::uint32_t>(command) & response_bit) != 0; }

// What strangers send may hold control characters, which have no place in a log line.
std::string printable(std::string_view text) {
  std::string out(text);
  for (char& letter : out) {
    if (letter < ' ' || letter > '~') letter = '?';
  }
  return out;
}

bool is_malformed(Status status) {
  return status == Status::invalid_command_length || status == Status::invalid_message_length ||
         status == Status::invalid_tlv_stream || status == Status::invalid_tlv_length ||
         status == Status::invalid_esm_class;
}

}  // namespace

Session::Session(SessionId id, boost::asio::ip::tcp::socket socket, SessionContext& context)
    : id_(id),
      context_(context),
      executor_(socket.get_executor()),
      link_(std::make_shared<Link>(std::move(socket), link_options(context.options))),
      bind_timer_(executor_) {}

void Session::start() {
  bind_timer_.expires_after(context_.options.bind_timeout);
  bind_timer_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
    const auto self = weak.lock();
    if (error || !self || self->state_ != State::unbound || self->link_->ending()) return;
    self->context_.counters.failed_binds++;
    self->link_->close("no bind within the bind timeout");
  });
  link_->start(weak_from_this());
}

void Session::on_pdu(const Pdu& pdu) {
  switch (pdu.header.command) {
    case Command::bind_receiver:
    case Command::bind_transmitter:
    case Command::bind_transceiver:
      return on_bind(pdu);
    case Command::submit_sm:
      return on_submit(pdu);
    case Command::unbind:
      return on_unbind(pdu);
    case Command::unbind_resp:
      if (state_ == State::unbinding) link_->finish("unbound");
      return;
    case Command::generic_nack:
    case Command::bind_receiver_resp:
    case Command::bind_transmitter_resp:
    case Command::submit_sm_resp:
    case Command::bind_transceiver_resp:
    case Command::enquire_link:
    case Command::enquire_link_resp:
      break;
  }
  // Answering a stray response could make two peers nack each other for ever.
  if (is_response(pdu.header.command)) return;
  nack(pdu.header, Status::invalid_command_id);
}

void Session::on_bad_length(const Header& header) {
  context_.counters.malformed++;
  nack(header, Status::invalid_command_length);
  link_->finish("a PDU of " + std::to_string(header.length) + " bytes; 16 to " +
                std::to_string(context_.options.pdu_bytes_max) + " are accepted");
}

void Session::nack(const Header& header, Status status) {
  context_.counters.nacks++;
  append_header_only(link_->out(), Command::generic_nack, status, header.sequence);
}

void Session::on_bind(const Pdu& pdu) {
  Bind bind;
  if (state_ != State::unbound) {
    append_bind_resp(link_->out(), response_to(pdu.header.command), Status::already_bound, pdu.header.sequence, {});
    return;
  }
  Status status = decode_bind(pdu.body, bind);
  if (status != Status::ok) context_.counters.malformed++;
  if (status == Status::ok) status = authenticate(bind);
  if (status != Status::ok) return refuse_bind(pdu, status, bind.system_id);
  bind_timer_.cancel();
  account_ = bind.system_id;
  state_ = pdu.header.command == Command::bind_receiver ? State::receiver : State::sender;
  context_.counters.binds++;
  append_bind_resp(link_->out(), response_to(pdu.header.command), Status::ok, pdu.header.sequence,
                   context_.options.system_id);
  link_->watch_idle();
  context_.log->info("session {}: account {} bound", id_, account_);
}

Status Session::authenticate(const Bind& bind) const {
  if (draining_) return Status::bind_failed;
  for (const Account& account : context_.options.accounts) {
    if (account.system_id != bind.system_id) continue;
    return same_secret(account.password, bind.password) ? Status::ok : Status::invalid_password;
  }
  return Status::invalid_system_id;
}

void Session::refuse_bind(const Pdu& pdu, Status status, std::string_view system_id) {
  context_.counters.failed_binds++;
  context_.log->warn("session {}: bind as \"{}\" refused with status {:#x}", id_, printable(system_id),
                     static_cast<std::uint32_t>(status));
  append_bind_resp(link_->out(), response_to(pdu.header.command), status, pdu.header.sequence, {});
  link_->finish("bind refused");
}

void Session::on_submit(const Pdu& pdu) {
  SubmitSm submit;
  UserData user_data;
  const Status status = admit(pdu, submit, user_data);
  if (status == Status::ok) return hand_over(pdu, submit, user_data);
  if (status == Status::throttled) context_.counters.throttled++;
  if (is_malformed(status)) context_.counters.malformed++;
  append_submit_sm_resp(link_->out(), status, pdu.header.sequence, {});
}

Status Session::admit(const Pdu& pdu, SubmitSm& submit, UserData& user_data) {
  if (state_ != State::sender || unbind_asked_) return Status::invalid_bind_status;
  if (draining_ || outstanding_ >= context_.options.window) return Status::throttled;
  if (const Status status = decode_submit_sm(pdu.body, submit); status != Status::ok) return status;
  if (const Status status = split_user_data(submit, user_data); status != Status::ok) return status;
  if (submit.destination.digits.empty()) return Status::invalid_destination;
  // A message for later would be in the wrong window; better refused than delivered at once.
  return submit.schedule_delivery_time.empty() ? Status::ok : Status::invalid_schedule;
}

void Session::hand_over(const Pdu& pdu, const SubmitSm& submit, const UserData& user_data) {
  context_.counters.submits++;
  outstanding_++;
  Submit message;
  message.session = id_;
  message.account = account_;
  message.sequence = pdu.header.sequence;
  message.source = submit.source;
  message.destination = submit.destination;
  message.esm_class = submit.esm_class;
  message.data_coding = submit.data_coding;
  message.registered_delivery = submit.registered_delivery;
  message.content = user_data.content;
  message.user_message_reference = submit.user_message_reference;
  message.part = user_data.part;
  context_.handler.on_submit(message, Reply(weak_from_this(), pdu.header.sequence));
}

void Session::reply(std::uint32_t sequence, Status status, const std::string& message_id) {
  boost::asio::dispatch(executor_, [weak = weak_from_this(), sequence, status, message_id] {
    if (const auto self = weak.lock()) self->answer(sequence, status, message_id);
  });
}

void Session::answer(std::uint32_t sequence, Status status, const std::string& message_id) {
  if (state_ == State::closed) return;
  outstanding_--;
  append_submit_sm_resp(link_->out(), status, sequence, message_id);
  leave_if_answered();
  link_->flush();
}

void Session::on_unbind(const Pdu& pdu) {
  unbind_asked_ = true;
  unbind_sequence_ = pdu.header.sequence;
  leave_if_answered();
}

void Session::drain() {
  draining_ = true;
  if (state_ == State::unbound) return link_->close("draining");
  leave_if_answered();
  link_->flush();
}

void Session::leave_if_answered() {
  if (outstanding_ > 0 || link_->ending()) return;
  if (unbind_asked_) {
    append_header_only(link_->out(), Command::unbind_resp, Status::ok, unbind_sequence_);
    link_->finish("unbound by the peer");
  } else if (draining_ && state_ != State::unbinding) {
    state_ = State::unbinding;
    append_header_only(link_->out(), Command::unbind, Status::ok, own_unbind_sequence);
  }
}

void Session::on_link_closed(const std::string& reason) {
  const bool was_bound = state_ != State::unbound;
  state_ = State::closed;
  bind_timer_.cancel();
  context_.log->info("session {}: closed, {} ({} submits unanswered)", id_, reason, outstanding_);
  if (was_bound) context_.handler.on_session_closed(id_);
  context_.forget(id_);
}

}  // namespace bobbin::smpp
