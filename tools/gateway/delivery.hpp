// The activity that hands a batch to the application: one signed POST an attempt (S31).
#pragma once

#include "tools/gateway/config.hpp"
#include "tools/http/post.hpp"

#include <bobbin/activity.hpp>
#include <bobbin/codec.hpp>
#include <bobbin/workflows/sms.hpp>

#include <memory>
#include <mutex>
#include <vector>

namespace spdlog {
class logger;
}

namespace bobbin::gateway {

// Any number of threads at once.
class Delivery {
 public:
  Delivery(const http::CurlGlobal& curl, DeliveryConfig config, std::shared_ptr<spdlog::logger> log)
      : curl_(curl), config_(std::move(config)), log_(std::move(log)) {}

  // Returns when the application has taken the batch (2xx). Throws ApplicationError: "network", "http_408" and the like
  // for what may succeed later; non-retryable "refused" for any other answer; Cancelled when told to stop.
  Nothing deliver(const ActivityContext& context, const workflows::BatchDelivery& batch);

 private:
  http::Poster take_poster();
  void give_back(http::Poster poster);

  const http::CurlGlobal& curl_;
  DeliveryConfig config_;
  std::shared_ptr<spdlog::logger> log_;
  std::mutex mutex_;
  std::vector<http::Poster> idle_;  // with their open connections
};

}  // namespace bobbin::gateway
