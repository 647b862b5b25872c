#include "tests/drill/process_rig.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <thread>

namespace bobbin::drill {

namespace {

constexpr std::chrono::seconds start_limit{20};
constexpr std::chrono::seconds end_limit{20};
constexpr auto sender = "4915100000001";
constexpr auto recipient = "49800100";

}  // namespace

smpp::SubmitSm ProcessRig::message(const std::string& text, std::optional<std::uint16_t> reference) {
  smpp::SubmitSm submit;
  submit.source = {smpp::ton::international, smpp::npi::e164, sender};
  submit.destination = {smpp::ton::international, smpp::npi::e164, recipient};
  submit.short_message = text;
  submit.user_message_reference = reference;
  return submit;
}

ProcessRig::ProcessRig(std::chrono::milliseconds window, const std::string& engine_lines)
    : receiver(loop.io(), delivery_secret, 1), gateway(BOBBIN_GATEWAY, config_, directory_.path() / "gateway.log") {
  GatewaySettings settings;
  settings.data_directory = directory_.path() / "data";
  settings.delivery_url = receiver.url();
  settings.window_length = window;
  settings.engine_lines = engine_lines;
  write_gateway_config(config_, settings);
}

GatewayPorts ProcessRig::start() {
  gateway.start();
  return ports = gateway.wait_for_ports(start_limit);
}

GatewayPorts ProcessRig::restart_after_kill() {
  gateway.kill_hard();
  return start();
}

GatewayEnd ProcessRig::end() {
  gateway.ask_to_end();
  // Open sessions are asked to leave; their clients answer on this thread meanwhile.
  std::optional<GatewayEnd> end;
  std::thread waiter([this, &end] {
    const auto seen = gateway.wait_for_end(end_limit);
    boost::asio::post(loop.io(), [&end, seen] { end = seen; });
  });
  loop.run_until([&end] { return end.has_value(); });
  waiter.join();
  return *end;
}

std::unique_ptr<smpp::Client> ProcessRig::client(const std::string& system_id, const std::string& password) {
  smpp::ClientOptions options;
  options.port = ports.smpp;
  options.system_id = system_id;
  options.password = password;
  return std::make_unique<smpp::Client>(loop.io(), options);
}

smpp::BindResult ProcessRig::try_bind(smpp::Client& client) {
  std::optional<smpp::BindResult> result;
  client.connect([&](const smpp::BindResult& bound) { result = bound; });
  loop.run_until([&] { return result.has_value(); });
  return *result;
}

std::unique_ptr<smpp::Client> ProcessRig::bind() {
  auto made = client(account, account_password);
  REQUIRE(try_bind(*made).bound());
  return made;
}

smpp::SubmitResult ProcessRig::submit(smpp::Client& client, const std::string& text,
                                      std::optional<std::uint16_t> reference) {
  std::optional<smpp::SubmitResult> result;
  client.submit(message(text, reference), [&](const smpp::SubmitResult& answered) { result = answered; });
  loop.run_until([&] { return result.has_value(); });
  return *result;
}

void ProcessRig::submit_blindly(smpp::Client& client, const std::string& text) {
  client.submit(message(text, std::nullopt), {});
  loop.run_ready();
}

std::string ProcessRig::accepted(smpp::Client& client, const std::string& text,
                                 std::optional<std::uint16_t> reference) {
  const auto result = submit(client, text, reference);
  REQUIRE(result.accepted());
  return result.message_id;
}

std::size_t ProcessRig::messages_delivered() const {
  std::size_t count = 0;
  for (const auto& batch : receiver.batches())
    if (const auto body = parse_batch_body(batch.body)) count += body->messages.size();
  return count;
}

std::vector<BatchBody> ProcessRig::batches_with(std::size_t messages) {
  loop.run_until([&] { return messages_delivered() >= messages; });
  std::vector<BatchBody> bodies;
  for (const auto& batch : receiver.batches()) {
    auto body = parse_batch_body(batch.body);
    REQUIRE(body.has_value());
    bodies.push_back(std::move(*body));
  }
  return bodies;
}

boost::asio::ip::tcp::socket ProcessRig::raw_smpp() {
  boost::asio::ip::tcp::socket socket(loop.io());
  socket.connect({boost::asio::ip::address_v4::loopback(), ports.smpp});
  return socket;
}

HttpAnswer ProcessRig::http(std::uint16_t port, const std::string& method, const std::string& path,
                            const std::string& token, const std::string& body) {
  boost::asio::ip::tcp::socket socket(loop.io());
  socket.connect({boost::asio::ip::address_v4::loopback(), port});
  auto request = method + " " + path +
                 " HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) +
                 "\r\n";
  if (!token.empty()) request += "Authorization: Bearer " + token + "\r\n";
  boost::asio::write(socket, boost::asio::buffer(request + "\r\n" + body));
  std::string received;
  boost::system::error_code end;  // the gateway hangs up when it has answered
  boost::asio::read(socket, boost::asio::dynamic_buffer(received), end);
  const auto head = received.find("\r\n\r\n");
  REQUIRE(received.starts_with("HTTP/1.1 "));
  REQUIRE(head != std::string::npos);
  return {std::stoi(received.substr(9)), received.substr(head + 4)};
}

HttpAnswer ProcessRig::admin(const std::string& method, const std::string& path) {
  return http(ports.admin, method, path, admin_token);
}

HttpAnswer ProcessRig::post_sms(const std::string& body) { return http(ports.http, "POST", "/sms", http_token, body); }

}  // namespace bobbin::drill
