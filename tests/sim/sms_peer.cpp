#include "tests/sim/sms_peer.hpp"

#include "tools/gateway/lives.hpp"

#include <bobbin/workflows/sms.hpp>

#include <nlohmann/json.hpp>

#include <map>
#include <utility>

namespace bobbin::sim {

namespace {

using namespace std::chrono_literals;

constexpr Duration patience = 6s;
constexpr Duration settled_after = 5s + 2 * gateway::Lives::interval;
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

// Its answer finds the message as long as the gateway lives.
class SmsPeer::HttpCall final : public http::ResponseTarget {
 public:
  HttpCall(SmsPeer& peer, std::size_t index) : peer_(peer), index_(index) {}
  void respond(http::Response response) override {
    if (std::exchange(open_, false)) peer_.answered(index_, response);
  }
  void end() { open_ = false; }

 private:
  SmsPeer& peer_;
  const std::size_t index_;
  bool open_ = true;
};

SmsPeer::SmsPeer(World& world, Verdict& verdict, Trace& trace) : world_(world), verdict_(verdict), trace_(trace) {}
SmsPeer::~SmsPeer() = default;

// ---- Sessions ----

void SmsPeer::connect(gateway::Intake& intake) {
  intake_ = &intake;
  session_ = std::make_shared<Session>(*this, ++sessions_);
  for (auto& message : messages_) message.outstanding = 0;
  for (std::size_t i = 0; i < messages_.size(); ++i)
    if (messages_[i].state == State::unsent || messages_[i].state == State::unanswered) send(i);
}

void SmsPeer::disconnect() {
  if (session_) session_->end();
  intake_ = nullptr;
  for (const auto& call : calls_) call->end();
  calls_.clear();
  const auto now = world_.alive() ? world_.clock().boot_time() : world_.clock().died_at();
  for (auto& message : messages_) {
    if (message.way == Way::http_unnamed && message.state == State::unanswered) message.state = State::given_up;
    if (message.state == State::accepted && !settled(message, now)) message.cut_off = true;
  }
}

void SmsPeer::lose_session() {
  if (!intake_ || world_.stopped()) return;
  auto* intake = intake_;
  disconnect();
  intake->on_session_closed(session_->id());
  connect(*intake);
}

// ---- Sending ----

void SmsPeer::send_new(Random& random) {
  auto anew = random.one_in(4) ? drawn_anew(random) : std::nullopt;
  messages_.push_back(anew ? std::move(*anew) : drawn(random));
  send(messages_.size() - 1);
}

SmsPeer::Message SmsPeer::drawn(Random& random) const {
  Message message;
  message.from = "+4917" + std::to_string(random.below(senders));
  message.to = "+4930" + std::to_string(random.below(2));
  message.text = "text " + std::to_string(messages_.size()) + ".";
  if (random.one_in(4)) {
    message.way = random.one_in(3) ? Way::http_unnamed : Way::http;
    return message;
  }
  if (random.one_in(3)) message.reference = static_cast<std::uint16_t>(messages_.size());
  if (random.one_in(5)) {
    const auto total = static_cast<std::uint8_t>(2 + random.below(2));
    const auto index = static_cast<std::uint8_t>(1 + random.below(total));
    message.part = smpp::PartInfo{static_cast<std::uint16_t>(random.below(3)), total, index};
  }
  return message;
}

bool SmsPeer::settled(const Message& message, Duration now) {
  return message.outstanding == 0 && now - message.answered_at >= settled_after;
}

// All before it were answered, for the last time on a session that then lived on for long, in a process that did, too.
std::optional<SmsPeer::Message> SmsPeer::drawn_anew(Random& random) const {
  if (messages_.empty() || !session_) return std::nullopt;
  const auto& first = messages_[random.below(messages_.size())];
  if (first.way != Way::smpp || first.reference || first.part) return std::nullopt;
  for (const auto& same : messages_) {
    const bool another = same.state == State::accepted && !same.cut_off && settled(same, world_.clock().boot_time());
    if (same.text == first.text && !another) return std::nullopt;
  }
  Message message;
  message.from = first.from;
  message.to = first.to;
  message.text = first.text;
  return message;
}

void SmsPeer::send(std::size_t index) {
  if (!intake_) return;
  auto& message = messages_[index];
  message.state = State::unanswered;
  message.sent_at = world_.clock().boot_time();
  message.way == Way::smpp ? submit(index) : post(index);
}

void SmsPeer::submit(std::size_t index) {
  auto& message = messages_[index];
  ++message.outstanding;
  smpp::Submit submit;
  submit.session = session_->id();
  submit.account = "peer";
  submit.sequence = static_cast<std::uint32_t>(index);
  submit.source = {1, 1, std::string_view(message.from).substr(1)};
  submit.destination = {1, 1, std::string_view(message.to).substr(1)};
  submit.content = message.text;
  submit.user_message_reference = message.reference;
  submit.part = message.part;
  intake_->on_submit(submit, smpp::Reply(session_, submit.sequence));
}

void SmsPeer::post(std::size_t index) {
  const auto& message = messages_[index];
  nlohmann::json body{{"from", message.from}, {"to", message.to}, {"text", message.text}};
  if (message.way == Way::http) body["message_id"] = "m" + std::to_string(index);
  calls_.push_back(std::make_shared<HttpCall>(*this, index));
  intake_->on_http("crm", {"POST", "/sms", {}, {}, body.dump()}, http::Respond(calls_.back()));
}

void SmsPeer::repeat() {
  if (world_.stopped()) return;
  for (std::size_t i = 0; i < messages_.size(); ++i) {
    const auto& message = messages_[i];
    const bool overdue = message.state == State::unanswered && message.way != Way::http_unnamed &&
                         world_.clock().boot_time() - message.sent_at >= patience;
    if (message.state == State::unsent || overdue) send(i);
  }
}

// ---- Answers ----

void SmsPeer::answered(std::size_t index, smpp::Status status, const std::string& id) {
  if (!world_.alive()) return;
  --messages_[index].outstanding;
  trace_.add(index);
  trace_.add(static_cast<std::uint64_t>(status));
  status == smpp::Status::ok ? accepted_as(index, id) : refused(index);
}

void SmsPeer::answered(std::size_t index, const http::Response& response) {
  if (!world_.alive()) return;
  trace_.add(index);
  trace_.add(response.status);
  const auto body = nlohmann::json::parse(response.body);
  response.status == 202 ? accepted_as(index, body.at("message_id")) : refused(index);
}

void SmsPeer::refused(std::size_t index) {
  auto& message = messages_[index];
  if (message.state == State::accepted) message.cut_off = true;
  if (message.state == State::unanswered)
    message.state = message.way == Way::http_unnamed ? State::given_up : State::unsent;
}

void SmsPeer::accepted_as(std::size_t index, const std::string& id) {
  auto& message = messages_[index];
  if (message.state == State::accepted && message.id != id)
    verdict_.broken("message '" + message.text + "' is answered with another id when it is repeated (S30)");
  for (std::size_t i = 0; i < messages_.size(); ++i)
    if (i != index && messages_[i].state == State::accepted && messages_[i].id == id)
      verdict_.broken("message '" + message.text + "' is taken for an earlier one of the same text (S30)");
  message.answered_at = world_.clock().boot_time();
  message.state = State::accepted;
  message.id = id;
  for (const auto& [position, event] : world_.model().events())
    if (to_string(position) == id && event.value.find(message.text) != std::string::npos) return;
  verdict_.broken("message '" + message.text + "' is acknowledged as " + id + " before it is durable (S29)");
}

bool SmsPeer::all_accepted() const {
  for (const auto& message : messages_)
    if (message.state == State::unsent || message.state == State::unanswered) return false;
  return true;
}

void SmsPeer::check_log() {
  struct Count {
    int in_log = 0, accepted = 0, given_up = 0;
    std::string places;
  };
  std::map<std::string, Count> counts;
  for (const auto& message : messages_) {
    counts[message.text].accepted += message.state == State::accepted;
    counts[message.text].given_up += message.state == State::given_up;
  }
  for (const auto& [position, event] : world_.model().events()) {
    const auto sms = decode<workflows::Sms>(std::make_shared<const Payload>(
        Payload{CodecId::fields, type_id_of(Fields<workflows::Sms>::name), 0, event.value}));
    auto& count = counts[sms.text];
    ++count.in_log;
    count.places += " " + to_string(position);
  }
  for (const auto& [text, count] : counts)
    if (count.in_log < count.accepted || count.in_log > count.accepted + count.given_up)
      verdict_.broken("'" + text + "' stands in the log " + std::to_string(count.in_log) + " times, at" + count.places +
                      ", and was accepted " + std::to_string(count.accepted) + " times (S30)");
}

std::vector<std::string> SmsPeer::accepted() const {
  std::vector<std::string> ids;
  for (const auto& message : messages_)
    if (message.state == State::accepted) ids.push_back(message.id);
  return ids;
}

}  // namespace bobbin::sim
