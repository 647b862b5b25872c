#include "tools/drill/peer.hpp"

#include "tools/drill/settings.hpp"

#include <chrono>

namespace bobbin::drill {

namespace {

constexpr std::size_t submits_in_flight_max = 100;
constexpr std::chrono::milliseconds pause_before_connecting{5};
constexpr std::chrono::milliseconds pause_before_repeating{20};

smpp::Address international(const std::string& canonical) {
  smpp::Address address;
  address.ton = smpp::ton::international;
  address.npi = smpp::npi::e164;
  address.digits = std::string_view(canonical).substr(1);  // without the plus sign
  return address;
}

}  // namespace

Peer::Peer(boost::asio::io_context& io, std::function<std::uint16_t()> port)
    : io_(io), port_(std::move(port)), timer_(io), refused_timer_(io) {}

void Peer::start() { connect_soon(); }

void Peer::connect_soon() {
  timer_.expires_after(pause_before_connecting);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) connect();
  });
}

void Peer::connect() {
  const auto port = port_();
  if (port == 0) return connect_soon();
  smpp::ClientOptions options;
  options.port = port;
  options.system_id = account;
  options.password = account_password;
  options.window = submits_in_flight_max;
  client_ = std::make_unique<smpp::Client>(io_, options);
  client_->connect([this](const smpp::BindResult& result) { result.bound() ? pump() : connect_soon(); },
                   [this](const smpp::Lost&) {
                     ++losses_;
                     connect_soon();
                   });
}

void Peer::send(SentMessage& message) {
  backlog_.push_back(&message);
  pump();
}

void Peer::pump() {
  while (bound() && !backlog_.empty() && in_flight_ < submits_in_flight_max) {
    SentMessage& message = *backlog_.front();
    backlog_.pop_front();
    smpp::SubmitSm submit;
    submit.source = international(message.from);
    submit.destination = international(message.to);
    submit.short_message = message.text;
    submit.user_message_reference = message.reference;
    if (message.sends++ == 0) message.first_sent = wall_now();
    ++in_flight_;
    client_->submit(submit, [this, &message](const smpp::SubmitResult& result) { on_result(message, result); });
  }
}

void Peer::on_result(SentMessage& message, const smpp::SubmitResult& result) {
  --in_flight_;
  switch (result.kind) {
    case smpp::SubmitResult::Kind::answered:
      if (result.accepted()) {
        acknowledge(message, result.message_id);
      } else {
        refusals_ += result.status == smpp::Status::queue_full;
        refused_.push_back(&message);
        if (refused_.size() == 1) repeat_refused_soon();
      }
      break;
    case smpp::SubmitResult::Kind::unsent:
      --message.sends;
      backlog_.push_front(&message);
      break;
    case smpp::SubmitResult::Kind::unanswered:
      backlog_.push_front(&message);
      break;
  }
  pump();
}

void Peer::repeat_refused_soon() {
  refused_timer_.expires_after(pause_before_repeating);
  refused_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    backlog_.insert(backlog_.end(), refused_.begin(), refused_.end());
    refused_.clear();
    pump();
  });
}

void Peer::acknowledge(SentMessage& message, const std::string& id) {
  if (!message.answered) {
    message.answered = true;
    message.acknowledged = wall_now();
    message.message_id = id;
    if (tell_acknowledged_) tell_acknowledged_(message);
  } else if (message.message_id != id) {
    message.differing_ids.push_back(id);
  }
}

}  // namespace bobbin::drill
