#include "tests/sim/sms_peer.hpp"

#include <bobbin/workflows/sms.hpp>

#include <map>

namespace bobbin::sim {

namespace {

using namespace std::chrono_literals;

constexpr Duration patience = 6s;
constexpr std::uint64_t senders = 3;

}  // namespace

// Answers find their messages as long as the session lives.
class SmsPeer::Session final : public smpp::ReplyTarget {
 public:
  Session(SmsPeer& peer, std::uint64_t id) : peer_(peer), id_(id) {}
  void reply(std::uint32_t sequence, smpp::Status status, const std::string& message_id) override {
    if (open_) peer_.answered(sequence, status, message_id);
  }
  void end() { open_ = false; }
  std::uint64_t id() const { return id_; }

 private:
  SmsPeer& peer_;
  const std::uint64_t id_;
  bool open_ = true;
};

SmsPeer::SmsPeer(World& world, Verdict& verdict, Trace& trace) : world_(world), verdict_(verdict), trace_(trace) {}
SmsPeer::~SmsPeer() = default;

void SmsPeer::connect(gateway::Intake& intake) {
  intake_ = &intake;
  session_ = std::make_shared<Session>(*this, ++sessions_);
  for (std::size_t i = 0; i < messages_.size(); ++i)
    if (messages_[i].state != State::accepted) send(i);
}

void SmsPeer::disconnect() {
  if (session_) session_->end();
  intake_ = nullptr;
}

void SmsPeer::lose_session() {
  if (!intake_ || world_.stopped()) return;
  session_->end();
  intake_->on_session_closed(session_->id());
  connect(*intake_);
}

void SmsPeer::send_new(Random& random) {
  Message message;
  message.from = "+4917" + std::to_string(random.below(senders));
  message.to = "+4930" + std::to_string(random.below(2));
  message.text = "text " + std::to_string(messages_.size());
  if (random.one_in(3)) message.reference = static_cast<std::uint16_t>(messages_.size());
  messages_.push_back(std::move(message));
  send(messages_.size() - 1);
}

void SmsPeer::send(std::size_t index) {
  if (!intake_) return;
  auto& message = messages_[index];
  message.state = State::unanswered;
  message.sent_at = world_.clock().boot_time();
  smpp::Submit submit;
  submit.session = session_->id();
  submit.account = "peer";
  submit.sequence = static_cast<std::uint32_t>(index);
  submit.source = {1, 1, std::string_view(message.from).substr(1)};
  submit.destination = {1, 1, std::string_view(message.to).substr(1)};
  submit.content = message.text;
  submit.user_message_reference = message.reference;
  intake_->on_submit(submit, smpp::Reply(session_, submit.sequence));
}

void SmsPeer::repeat() {
  if (world_.stopped()) return;
  for (std::size_t i = 0; i < messages_.size(); ++i) {
    const auto& message = messages_[i];
    const bool overdue = message.state == State::unanswered && world_.clock().boot_time() - message.sent_at >= patience;
    if (message.state == State::unsent || overdue) send(i);
  }
}

void SmsPeer::answered(std::size_t index, smpp::Status status, const std::string& id) {
  if (!world_.alive()) return;
  auto& message = messages_[index];
  trace_.add(index);
  trace_.add(static_cast<std::uint64_t>(status));
  if (status != smpp::Status::ok) {
    if (message.state == State::unanswered) message.state = State::unsent;
    return;
  }
  if (message.state == State::accepted && message.id != id)
    verdict_.broken("message '" + message.text + "' is answered with another id when it is repeated (S30)");
  message.state = State::accepted;
  message.id = id;
  for (const auto& [position, event] : world_.model().events())
    if (to_string(position) == id && event.value.find(message.text) != std::string::npos) return;
  verdict_.broken("message '" + message.text + "' is acknowledged as " + id + " before it is durable (S29)");
}

bool SmsPeer::all_accepted() const {
  for (const auto& message : messages_)
    if (message.state != State::accepted) return false;
  return true;
}

void SmsPeer::check_log() {
  std::map<std::string, Position> places;
  for (const auto& [position, event] : world_.model().events()) {
    const auto text =
        decode<workflows::Sms>(std::make_shared<const Payload>(
                                   Payload{CodecId::fields, type_id_of(Fields<workflows::Sms>::name), 0, event.value}))
            .text;
    const auto [at, is_new] = places.try_emplace(text, position);
    if (!is_new)
      verdict_.broken("message '" + text + "' stands in the log twice, at " + to_string(at->second) + " and " +
                      to_string(position) + " (S30)");
  }
}

std::vector<std::string> SmsPeer::accepted() const {
  std::vector<std::string> ids;
  for (const auto& message : messages_)
    if (message.state == State::accepted) ids.push_back(message.id);
  return ids;
}

}  // namespace bobbin::sim
