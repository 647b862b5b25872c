// The real gateway as a process, with an application behind it and hands to feed it.
#pragma once

#include "tests/gateway/event_loop.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tools/drill/batch_body.hpp"
#include "tools/drill/gateway_process.hpp"
#include "tools/drill/receiver.hpp"
#include "tools/drill/settings.hpp"
#include "tools/smpp/client.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <nlohmann/json.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace bobbin::drill {

struct HttpAnswer {
  int status = 0;
  std::string body;

  nlohmann::json json() const { return nlohmann::json::parse(body); }
};

class ProcessRig {
 public:
  // Not started. `engine_lines` go into the configuration's section [engine].
  explicit ProcessRig(std::chrono::milliseconds window = std::chrono::milliseconds(300),
                      const std::string& engine_lines = {});

  GatewayPorts start();
  GatewayPorts restart_after_kill();
  // Asks the gateway to end and answers how it did.
  GatewayEnd end();

  // A bound client; its refusal fails the test.
  std::unique_ptr<smpp::Client> bind();
  smpp::BindResult try_bind(smpp::Client& client);
  std::unique_ptr<smpp::Client> client(const std::string& system_id, const std::string& password);
  // From the sender of a rig's messages to their recipient.
  static smpp::SubmitSm message(const std::string& text, std::optional<std::uint16_t> reference = std::nullopt);

  // The answer to one message; from and to are international numbers without the plus sign.
  smpp::SubmitResult submit(smpp::Client& client, const std::string& text,
                            std::optional<std::uint16_t> reference = std::nullopt);
  // Hands it to the connection and does not wait.
  void submit_blindly(smpp::Client& client, const std::string& text);
  // The same, and the message must be accepted; answers its id.
  std::string accepted(smpp::Client& client, const std::string& text,
                       std::optional<std::uint16_t> reference = std::nullopt);

  // Waits until so many messages are in batches that the application has used, and answers the batches.
  std::vector<BatchBody> batches_with(std::size_t messages);
  std::size_t messages_delivered() const;

  // Blocking; the gateway is another process.
  HttpAnswer http(std::uint16_t port, const std::string& method, const std::string& path, const std::string& token,
                  const std::string& body = {});
  HttpAnswer admin(const std::string& method, const std::string& path);
  HttpAnswer post_sms(const std::string& body);
  boost::asio::ip::tcp::socket raw_smpp();

  const std::filesystem::path& directory() const { return directory_.path(); }
  const std::filesystem::path& config() const { return config_; }

 private:
  bobbin::testing::TemporaryDirectory directory_;
  std::filesystem::path config_{directory_.path() / "gateway.toml"};

 public:
  tests::EventLoop loop;
  Receiver receiver;
  GatewayProcess gateway;
  GatewayPorts ports;
};

}  // namespace bobbin::drill
