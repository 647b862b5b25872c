#include "tools/gateway/config.hpp"

#include "tools/gateway/config_reader.hpp"
#include "tools/smpp/constants.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <sstream>

namespace bobbin::gateway {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr std::size_t secret_size_min = 16;
constexpr std::int64_t port_max = 65'535;
constexpr std::int64_t gibibyte = 1'073'741'824;

void read_secret(ConfigReader& reader, std::string_view key, std::string& value) {
  reader.required_text(key, value);
  if (value.size() >= secret_size_min) return;
  reader.fail(key, std::string(key) + " has " + std::to_string(value.size()) + " characters, expected at least " +
                       std::to_string(secret_size_min));
}

boost::asio::ip::address read_listen(ConfigReader& reader, std::string& address, std::uint16_t& port) {
  reader.text("address", address);
  reader.integer("port", port, 0, port_max);
  boost::system::error_code error;
  const auto parsed = boost::asio::ip::make_address(address, error);
  if (error) reader.fail("address", "address is \"" + address + "\", expected an IP address such as \"127.0.0.1\"");
  return parsed;
}

template <typename List, typename Field>
void refuse_double(ConfigReader& reader, std::string_view key, const List& list, Field field) {
  const auto& last = list.back().*field;
  if (std::count_if(list.begin(), list.end(), [&](const auto& one) { return one.*field == last; }) > 1) {
    reader.fail(key, std::string(key) + " is used twice, expected each to be unique");
  }
}

void refuse_long(ConfigReader& reader, std::string_view key, const std::string& value, std::size_t bytes_max) {
  if (value.size() <= bytes_max) return;
  reader.fail(key, std::string(key) + " has " + std::to_string(value.size()) + " bytes, expected at most " +
                       std::to_string(bytes_max));
}

void read_account(ConfigReader& reader, std::vector<SmppAccount>& accounts) {
  SmppAccount& account = accounts.emplace_back();
  reader.required_text("system_id", account.system_id);
  reader.required_text("password", account.password);
  refuse_long(reader, "system_id", account.system_id, smpp::system_id_size_max - 1);
  refuse_long(reader, "password", account.password, smpp::password_size_max - 1);
  refuse_double(reader, "system_id", accounts, &SmppAccount::system_id);
}

void read_smpp(ConfigReader& reader, SmppConfig& smpp) {
  read_listen(reader, smpp.address, smpp.port);
  reader.integer("window", smpp.window, 1, 10'000);
  reader.integer("sessions_max", smpp.sessions_max, 1, 100'000);
  reader.duration("bind_timeout", smpp.bind_timeout, milliseconds(100), hours(1));
  reader.duration("enquire_interval", smpp.enquire_interval, milliseconds(100), hours(24));
  reader.duration("enquire_timeout", smpp.enquire_timeout, milliseconds(100), hours(1));
  reader.tables("accounts", [&](ConfigReader& account) { read_account(account, smpp.accounts); });
  if (smpp.accounts.empty()) reader.fail("accounts", "no account is given, expected at least one [[smpp.accounts]]");
}

void read_client(ConfigReader& reader, std::vector<HttpClient>& clients) {
  HttpClient& client = clients.emplace_back();
  reader.required_text("name", client.name);
  read_secret(reader, "token", client.token);
  refuse_double(reader, "name", clients, &HttpClient::name);
  refuse_double(reader, "token", clients, &HttpClient::token);
}

void read_http(ConfigReader& reader, HttpConfig& http) {
  read_listen(reader, http.address, http.port);
  reader.integer("connections_max", http.connections_max, 1, 100'000);
  reader.integer("body_bytes_max", http.body_bytes_max, 1'024, 16'777'216);
  reader.duration("read_timeout", http.read_timeout, milliseconds(100), hours(1));
  reader.tables("clients", [&](ConfigReader& client) { read_client(client, http.clients); });
  if (http.clients.empty()) reader.fail("clients", "no client is given, expected at least one [[http.clients]]");
}

void read_admin(ConfigReader& reader, AdminConfig& admin) {
  const auto address = read_listen(reader, admin.address, admin.port);
  if (!address.is_loopback()) {
    reader.fail("address", "admin.address is \"" + admin.address + "\", expected a loopback address");
  }
  read_secret(reader, "token", admin.token);
}

void read_retry(ConfigReader& reader, RetryConfig& retry) {
  reader.integer("attempts_max", retry.attempts_max, 1, 1'000'000);
  reader.duration("first_delay", retry.first_delay, milliseconds(1), hours(24));
  reader.number("factor", retry.factor, 1.0, 100.0);
  reader.duration("cap", retry.cap, milliseconds(1), hours(24 * 7));
  reader.number("jitter", retry.jitter, 0.0, 1.0);
  reader.duration("total_time", retry.total_time, milliseconds(0), hours(24 * 365));
  if (retry.cap < retry.first_delay) reader.fail("cap", "cap is below first_delay, expected at least as much");
}

void read_delivery(ConfigReader& reader, DeliveryConfig& delivery) {
  reader.required_text("url", delivery.url);
  if (!delivery.url.starts_with("http://") && !delivery.url.starts_with("https://")) {
    reader.fail("url", "delivery.url begins with neither http:// nor https://, expected one of them");
  }
  read_secret(reader, "secret", delivery.secret);
  reader.duration("connect_timeout", delivery.connect_timeout, milliseconds(10), hours(1));
  reader.duration("total_timeout", delivery.total_timeout, milliseconds(10), hours(1));
  reader.integer("concurrency", delivery.concurrency, 1, 1'024);
  reader.table("retry", [&](ConfigReader& retry) { read_retry(retry, delivery.retry); });
}

void read_window(ConfigReader& reader, WindowConfig& window) {
  reader.duration("length", window.length, milliseconds(1), hours(24 * 30));
  reader.integer("messages_max", window.messages_max, 1, 10'000);
  reader.integer("bytes_max", window.bytes_max, 1'024, 16'777'216);
}

void read_engine(ConfigReader& reader, EngineConfig& engine) {
  reader.integer("inbox_count_max", engine.inbox_count_max, 1, 1'000'000);
  reader.integer("inbox_bytes_max", engine.inbox_bytes_max, 1'048'576, 64 * gibibyte);
  // The engine's own ceiling: more guarded stacks than that exhaust the mappings of a process.
  reader.integer("fibers_max", engine.fibers_max, 1, 16'000);
  reader.integer("unread_messages_max", engine.unread_messages_max, 1, 1'000'000);
  reader.integer("pending_batches_max", engine.pending_batches_max, 1, 10'000'000);
  // What a restart recognises retransmissions by must still be there.
  reader.duration("retention", engine.retention, std::chrono::minutes(2), hours(24 * 365));
}

void read_log_level(ConfigReader& reader, std::string& level) {
  static constexpr std::string_view levels[] = {"trace", "debug", "info", "warn", "error"};
  reader.text("log_level", level);
  if (std::find(std::begin(levels), std::end(levels), level) != std::end(levels)) return;
  reader.fail("log_level", "log_level is \"" + level + "\", expected trace, debug, info, warn or error");
}

void read_country_code(ConfigReader& reader, std::string& code) {
  reader.text("country_code", code);
  const bool digits = std::all_of(code.begin(), code.end(), [](char letter) { return letter >= '0' && letter <= '9'; });
  if (digits && code.size() <= 3 && !code.starts_with('0')) return;
  reader.fail("country_code", "country_code is \"" + code + "\", expected one to three digits such as \"49\", or \"\"");
}

template <typename Section>
void read_optional(ConfigReader& file, std::string_view key, std::optional<Section>& section,
                   void (*read)(ConfigReader&, Section&)) {
  file.table(key, [&](ConfigReader& reader) { read(reader, section.emplace()); });
}

template <typename Section>
void read_required(ConfigReader& file, std::string_view key, Section& section, void (*read)(ConfigReader&, Section&)) {
  const std::string name(key);
  if (file.table(key, [&](ConfigReader& reader) { read(reader, section); })) return;
  file.fail(key, "section [" + name + "] is missing");
}

GatewayConfig read_config(ConfigReader& file) {
  GatewayConfig config;
  std::string directory;
  file.required_text("data_directory", directory);
  config.data_directory = directory;
  read_log_level(file, config.log_level);
  read_country_code(file, config.country_code);
  file.duration("drain_timeout", config.drain_timeout, seconds(0), hours(1));
  read_optional(file, "smpp", config.smpp, read_smpp);
  read_optional(file, "http", config.http, read_http);
  read_required(file, "admin", config.admin, read_admin);
  read_required(file, "delivery", config.delivery, read_delivery);
  file.table("window", [&](ConfigReader& reader) { read_window(reader, config.window); });
  file.table("engine", [&](ConfigReader& reader) { read_engine(reader, config.engine); });
  file.refuse_unknown();
  if (!config.smpp && !config.http) file.fail("smpp", "no way in is given, expected a section [smpp] or [http]");
  return config;
}

toml::table parse_file(const std::string& path) {
  try {
    return toml::parse_file(path);
  } catch (const toml::parse_error& error) {
    const auto at = error.source().begin;
    std::ostringstream text;
    text << path;
    // A file that cannot be opened has no place in it.
    if (at.line > 0) text << ':' << at.line << ':' << at.column;
    text << ": " << error.description();
    throw ConfigError(text.str());
  }
}

}  // namespace

GatewayConfig load_config(const std::filesystem::path& path) {
  const toml::table table = parse_file(path.string());
  ConfigReader reader(table, "", path.string());
  return read_config(reader);
}

}  // namespace bobbin::gateway
