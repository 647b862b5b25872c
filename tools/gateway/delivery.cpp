#include "tools/gateway/delivery.hpp"

#include "tools/gateway/address.hpp"
#include "tools/gateway/sign.hpp"

#include <spdlog/spdlog.h>

namespace bobbin::gateway {

http::Poster Delivery::take_poster() {
  const std::lock_guard lock(mutex_);
  if (idle_.empty()) return http::Poster(curl_);
  auto poster = std::move(idle_.back());
  idle_.pop_back();
  return poster;
}

void Delivery::give_back(http::Poster poster) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(poster));
}

Nothing Delivery::deliver(const ActivityContext& context, const workflows::BatchDelivery& batch) {
  http::PostRequest request;
  request.url = config_.url;
  request.body = batch.body;
  request.headers = {{"Content-Type", "application/json"},
                     {"Idempotency-Key", context.idempotency_key},
                     {"X-Bobbin-Attempt", std::to_string(context.attempt)},
                     {"X-Bobbin-Signature", "sha256=" + sign(config_.secret, batch.body)}};
  request.connect_timeout = config_.connect_timeout;
  request.total_timeout = config_.total_timeout;
  auto poster = take_poster();
  const auto result = poster.post(request, [&context] { return context.cancellation.cancelled(); });
  give_back(std::move(poster));

  const bool answered = result.kind == http::PostResult::Kind::answered;
  const auto why = answered ? "the application answered " + std::to_string(result.status) : result.error;
  switch (http::judge(result)) {
    case http::Verdict::delivered:
      return {};
    case http::Verdict::cancelled:
      throw Cancelled("the delivery was told to stop");
    case http::Verdict::again:
      log_->warn("batch of {} from {} not delivered at attempt {}: {}", batch.messages, masked(batch.from),
                 context.attempt, why);
      throw ApplicationError(answered ? "http_" + std::to_string(result.status) : "network", why);
    case http::Verdict::refused:
      log_->error("batch of {} from {} refused at attempt {}: {}; it is kept as a dead letter", batch.messages,
                  masked(batch.from), context.attempt, why);
      throw ApplicationError("refused", why, true);
  }
  throw ApplicationError("network", why);
}

}  // namespace bobbin::gateway
