#include "tools/drill/receiver.hpp"

#include "tools/gateway/sign.hpp"

#include <boost/asio/steady_timer.hpp>
#include <nlohmann/json.hpp>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>

namespace bobbin::drill {

namespace {

constexpr std::string_view signature_scheme = "sha256=";

http::Response plain(unsigned status, std::string text) { return {status, std::move(text), "text/plain", {}}; }

}  // namespace

Receiver::Receiver(boost::asio::io_context& io, std::string secret, std::uint64_t seed)
    : io_(io), secret_(std::move(secret)), random_(seed) {
  http::ServerOptions options;
  options.body_bytes_max = 16u << 20;
  options.connections_max = 1'024;
  server_ = std::make_unique<http::Server>(
      io, options,
      [this](const http::Request& request, http::Respond respond) { on_request(request, std::move(respond)); },
      std::make_shared<spdlog::logger>("receiver", std::make_shared<spdlog::sinks::null_sink_mt>()));
}

std::string Receiver::url(std::uint16_t port) const { return "http://127.0.0.1:" + std::to_string(port) + "/batches"; }

void Receiver::on_request(const http::Request& request, http::Respond respond) {
  ++requests_;
  if (hanging_)
    held_.emplace_back(request, std::move(respond));
  else
    take(request, std::move(respond));
}

void Receiver::hang(bool hanging) {
  hanging_ = hanging;
  if (hanging) return;
  for (auto& [request, respond] : std::exchange(held_, {})) take(request, std::move(respond));
}

void Receiver::drop_every_other_held() {
  std::size_t count = 0;
  std::erase_if(held_, [&count](const auto&) { return ++count % 2 == 0; });
}

void Receiver::take(const http::Request& request, http::Respond respond) {
  if (!well_formed(request)) return respond(plain(400, "not a signed batch"));
  if (fixed_status_ != 0) return respond(plain(fixed_status_, "told to"));
  const auto mood = next_mood();
  if (mood != Mood::refused) use(std::string(request.header("Idempotency-Key")), request.body);
  switch (mood) {
    case Mood::well:
      return respond(plain(200, "taken"));
    case Mood::refused:
    case Mood::forgot:
      return respond(plain(500, "out of sorts"));
    case Mood::slow:
      return answer_later(std::move(respond));
  }
}

bool Receiver::well_formed(const http::Request& request) {
  const auto signature = request.header("X-Bobbin-Signature");
  if (!signature.starts_with(signature_scheme) ||
      !gateway::verify_signature(secret_, request.body, signature.substr(signature_scheme.size()))) {
    complaints_.push_back("a request with a wrong signature: " + std::string(signature));
    return false;
  }
  if (!request.header("Idempotency-Key").empty()) return true;
  complaints_.emplace_back("a request without an idempotency key");
  return false;
}

void Receiver::use(const std::string& key, const std::string& body) {
  const auto [found, is_new] = by_key_.try_emplace(key, batches_.size());
  if (!is_new) {
    auto& batch = batches_[found->second];
    ++batch.times;
    if (batch.body != body) batch.body_changed = true;
    return;
  }
  batches_.push_back({key, body, wall_now()});
  if (tell_used_) tell_used_(batches_.back());
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (!json.is_object() || !json.contains("messages")) return;
  for (const auto& message : json["messages"]) texts_.insert(message.value("text", ""));
}

void Receiver::forget() {
  batches_.clear();
  by_key_.clear();
  texts_.clear();
}

Receiver::Mood Receiver::next_mood() {
  const double drawn = std::uniform_real_distribution<>(0, 1)(random_);
  if (drawn < faults_.refused) return Mood::refused;
  if (drawn < faults_.refused + faults_.forgot) return Mood::forgot;
  if (drawn < faults_.refused + faults_.forgot + faults_.slow) return Mood::slow;
  return Mood::well;
}

void Receiver::answer_later(http::Respond respond) {
  const auto delay = std::uniform_int_distribution<std::int64_t>(0, faults_.slow_max.count())(random_);
  auto timer = std::make_shared<boost::asio::steady_timer>(io_, std::chrono::milliseconds(delay));
  auto held = std::make_shared<http::Respond>(std::move(respond));
  timer->async_wait([timer, held](const boost::system::error_code&) { (*held)(plain(200, "taken, after a while")); });
}

}  // namespace bobbin::drill
