// An io_context that a test drives by itself: it runs handlers until what the test waits for is there.
#pragma once

#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <memory>

namespace bobbin::tests {

inline std::shared_ptr<spdlog::logger> silent_log() {
  return std::make_shared<spdlog::logger>("silent", std::make_shared<spdlog::sinks::null_sink_mt>());
}

class EventLoop {
 public:
  boost::asio::io_context& io() { return io_; }

  // Fails the test if the condition does not come true in a time that is far beyond what any of them needs.
  template <typename Condition>
  void run_until(Condition condition) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
      REQUIRE_MESSAGE(std::chrono::steady_clock::now() < give_up, "the awaited event did not come");
      io_.restart();
      io_.run_one_until(give_up);
    }
  }

  // Runs what is ready now.
  void run_ready() {
    io_.restart();
    while (io_.poll() > 0) {
    }
  }

 private:
  boost::asio::io_context io_{1};
};

}  // namespace bobbin::tests
