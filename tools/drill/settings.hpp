// The configuration under which drills run a gateway.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>

namespace bobbin::drill {

// Secrets of a gateway that lives for minutes on the loopback.
inline constexpr auto account = "drill";
inline constexpr auto account_password = "spindle";
inline constexpr auto http_token = "drill-http-token-0001";
inline constexpr auto admin_token = "drill-admin-token-0001";
inline constexpr auto delivery_secret = "drill-delivery-secret";

struct GatewaySettings {
  std::filesystem::path data_directory;
  std::string delivery_url;
  std::chrono::milliseconds window_length{500};
  std::size_t messages_max = 100;
  std::size_t attempts_max = 100'000;
  std::chrono::milliseconds retry_cap{200};
  std::chrono::milliseconds delivery_timeout{5'000};
  std::size_t fibers_max = 4'096;
  std::string engine_lines;  // more of the section [engine]
};

// Writes a configuration with SMPP, HTTP and admin interface on whatever ports are free. Throws std::runtime_error if
// the file cannot be written.
void write_gateway_config(const std::filesystem::path& file, const GatewaySettings& settings);

}  // namespace bobbin::drill
