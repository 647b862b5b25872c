// The gateway's configuration file.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace bobbin::gateway {

// The message begins with file:line:column and says what was found there and what was expected. It holds no secret.
class ConfigError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct SmppAccount {
  std::string system_id;
  std::string password;
};

struct SmppConfig {
  std::string address = "127.0.0.1";
  std::uint16_t port = 2775;  // 0: any free one
  std::vector<SmppAccount> accounts;
  std::size_t window = 100;  // unanswered messages of one session
  std::size_t sessions_max = 1'000;
  std::chrono::milliseconds bind_timeout{10'000};
  std::chrono::milliseconds enquire_interval{30'000};
  std::chrono::milliseconds enquire_timeout{10'000};
};

struct HttpClient {
  std::string name;
  std::string token;
};

struct HttpConfig {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8080;  // 0: any free one
  std::vector<HttpClient> clients;
  std::size_t connections_max = 256;
  std::size_t body_bytes_max = 64 * 1024;
  std::chrono::milliseconds read_timeout{10'000};
};

struct AdminConfig {
  std::string address = "127.0.0.1";  // loopback only
  std::uint16_t port = 8081;          // 0: any free one
  std::string token;
};

// The delay before attempt n + 1 is min(cap, first_delay * factor^(n - 1)), give or take the share `jitter` of it.
struct RetryConfig {
  std::uint32_t attempts_max = 20;
  std::chrono::milliseconds first_delay{1'000};
  double factor = 2.0;
  std::chrono::milliseconds cap{300'000};
  double jitter = 0.1;
  std::chrono::milliseconds total_time{86'400'000};  // from the first attempt; 0: no limit
};

struct DeliveryConfig {
  std::string url;
  std::string secret;  // key of the signature
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds total_timeout{30'000};
  std::size_t concurrency = 16;
  RetryConfig retry;
};

struct WindowConfig {
  std::chrono::milliseconds length{5'000};
  std::size_t messages_max = 100;
  std::size_t bytes_max = 64 * 1024;
};

struct EngineConfig {
  std::size_t inbox_count_max = 8'192;
  std::size_t inbox_bytes_max = 64 * 1024 * 1024;
  std::size_t fibers_max = 4'096;
  std::size_t unread_messages_max = 10'000;   // of one conversation, behind a batch that is not delivered
  std::size_t pending_batches_max = 100'000;  // of all conversations
  std::chrono::milliseconds retention{std::chrono::hours(24)};
};

struct GatewayConfig {
  std::filesystem::path data_directory;
  std::string log_level = "info";  // trace, debug, info, warn, error
  std::chrono::milliseconds drain_timeout{30'000};
  std::string country_code;  // digits; national numbers get it. Empty: they stay as they are.
  std::optional<SmppConfig> smpp;
  std::optional<HttpConfig> http;
  AdminConfig admin;
  DeliveryConfig delivery;
  WindowConfig window;
  EngineConfig engine;
};

// Throws ConfigError for a file that cannot be read, is not TOML, lacks what is required, holds a value out of its
// range, or has a key that is not known.
GatewayConfig load_config(const std::filesystem::path& path);

}  // namespace bobbin::gateway
