#include "tools/gateway/config.hpp"

#include "tools/gateway/config_reader.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace bobbin::gateway {
namespace {

using std::chrono::milliseconds;

// A file that lives as long as the object.
class ConfigFile {
 public:
  explicit ConfigFile(const std::string& text) {
    std::string pattern = (std::filesystem::temp_directory_path() / "bobbin-config-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    path_ = directory_ / "gateway.toml";
    std::ofstream(path_) << text;
  }
  ~ConfigFile() {
    std::error_code ignored;  // a folder that stays behind fails no test
    std::filesystem::remove_all(directory_, ignored);
  }
  ConfigFile(const ConfigFile&) = delete;
  ConfigFile& operator=(const ConfigFile&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path directory_;
  std::filesystem::path path_;
};

const std::string minimal = R"(data_directory = "data"
[smpp]
port = 0
[[smpp.accounts]]
system_id = "alice"
password = "secret"
[admin]
token = "0123456789abcdef"
[delivery]
url = "http://127.0.0.1:9000/"
secret = "0123456789abcdef"
)";

GatewayConfig load(const std::string& text) { return load_config(ConfigFile(text).path()); }

std::string with(const std::string& from, const std::string& to) {
  std::string text = minimal;
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

// The error's message behind the path.
std::string error_of(const std::string& text) {
  const ConfigFile file(text);
  try {
    load_config(file.path());
  } catch (const ConfigError& error) {
    const std::string message = error.what();
    REQUIRE(message.starts_with(file.path().string()));
    return message.substr(file.path().string().size());
  }
  FAIL("no error");
  return {};
}

TEST_CASE("a minimal configuration has the defaults") {
  const GatewayConfig config = load(minimal);
  CHECK(config.data_directory == "data");
  REQUIRE(config.smpp);
  CHECK(config.smpp->accounts.at(0).system_id == "alice");
  CHECK(config.smpp->enquire_interval == milliseconds(30'000));
  CHECK_FALSE(config.http);
  CHECK(config.window.messages_max == 100);
  CHECK(config.delivery.retry.factor == 2.0);
}

TEST_CASE("every value is read") {
  const GatewayConfig config = load(with("[admin]", R"([http]
[[http.clients]]
name = "crm"
token = "abcdefghijklmnop"
[window]
length = "250ms"
messages_max = 7
bytes_max = 2048
[engine]
inbox_count_max = 5
inbox_bytes_max = 1048576
fibers_max = 1
unread_messages_max = 20
pending_batches_max = 30
retention = "10m"
[admin]
port = 1234)") + R"([delivery.retry]
attempts_max = 3
first_delay = "2s"
factor = 3
cap = "2m"
jitter = 0.5
total_time = "1h"
)");
  REQUIRE(config.http);
  CHECK(config.http->clients.at(0).name == "crm");
  CHECK(config.window.length == milliseconds(250));
  CHECK(config.window.messages_max == 7);
  CHECK(config.window.bytes_max == 2'048);
  CHECK(config.engine.inbox_count_max == 5);
  CHECK(config.engine.fibers_max == 1);
  CHECK(config.engine.unread_messages_max == 20);
  CHECK(config.engine.pending_batches_max == 30);
  CHECK(config.engine.retention == milliseconds(600'000));
  CHECK(config.admin.port == 1'234);
  CHECK(config.delivery.retry.attempts_max == 3);
  CHECK(config.delivery.retry.first_delay == milliseconds(2'000));
  CHECK(config.delivery.retry.factor == 3.0);
  CHECK(config.delivery.retry.cap == milliseconds(120'000));
  CHECK(config.delivery.retry.jitter == 0.5);
  CHECK(config.delivery.retry.total_time == milliseconds(3'600'000));
}

TEST_CASE("errors name the place, what was found and what was expected") {
  CHECK(error_of(with("port = 0", "port = 70000")) == ":3:8: smpp.port is 70000, expected an integer from 0 to 65535");
  CHECK(error_of(with("port = 0", "port = \"x\"")) ==
        ":3:8: smpp.port is of type string, expected an integer from 0 to 65535");
  CHECK(error_of(with("port = 0", "windwo = 5")) == ":3:1: unknown key smpp.windwo; did you mean smpp.window?");
  CHECK(error_of(with("port = 0", "colour = 5")) == ":3:1: unknown key smpp.colour");
  CHECK(
      error_of(with("port = 0", "enquire_interval = \"30 s\"")) ==
      ":3:20: smpp.enquire_interval is \"30 s\", expected a duration from \"100ms\" to \"1d\" (units: ms, s, m, h, d)");
  CHECK(error_of(with("port = 0", "enquire_interval = 30")) ==
        ":3:20: smpp.enquire_interval is of type integer, expected a duration from \"100ms\" to \"1d\"");
  CHECK(error_of(with("password = \"secret\"", "password = \"far too long\"")) ==
        ":6:12: password has 12 bytes, expected at most 8");
  CHECK(error_of(with("system_id = \"alice\"\n", "")) == ":4:1: smpp.accounts.system_id is missing, expected a string");
  CHECK(error_of(with("token = \"0123456789abcdef\"", "token = \"short\"")) ==
        ":8:9: token has 5 characters, expected at least 16");
  CHECK(error_of(with("[admin]", "[admin]\naddress = \"0.0.0.0\"")) ==
        ":8:11: admin.address is \"0.0.0.0\", expected a loopback address");
  CHECK(error_of(with("[admin]", "[admin]\naddress = \"nowhere\"")) ==
        ":8:11: address is \"nowhere\", expected an IP address such as \"127.0.0.1\"");
  CHECK(error_of(with("http://127.0.0.1:9000/", "ftp://x")) ==
        ":10:7: delivery.url begins with neither http:// nor https://, expected one of them");
  CHECK(error_of(with("data_directory = \"data\"\n", "")).ends_with("data_directory is missing, expected a string"));
  CHECK(error_of(with("data_directory", "data_dir")).ends_with("data_directory is missing, expected a string"));
}

TEST_CASE("missing and contradicting parts") {
  CHECK(error_of("data_directory = \"data\"\n").ends_with("section [admin] is missing"));
  const std::string no_way_in = minimal.substr(0, minimal.find("[smpp]")) + minimal.substr(minimal.find("[admin]"));
  CHECK(error_of(no_way_in).ends_with("no way in is given, expected a section [smpp] or [http]"));
  CHECK(error_of(with("[admin]", "[[smpp.accounts]]\nsystem_id = \"alice\"\npassword = \"x\"\n[admin]"))
            .starts_with(":8:13: system_id is used twice"));
  CHECK(error_of(minimal + "[delivery.retry]\ncap = \"10ms\"\n").starts_with(":13:7: cap is below first_delay"));
  CHECK(error_of(minimal + "[delivery.retry]\nfactor = nan\n").starts_with(":13:10: delivery.retry.factor is nan"));
  CHECK(error_of("log_level = \"loud\"\n" + minimal).starts_with(":1:13: log_level is \"loud\""));
  CHECK(error_of("country_code = \"+49\"\n" + minimal).starts_with(":1:16: country_code is \"+49\""));
  CHECK(error_of("smpp = 3\ndata_directory = \"x\"\n").starts_with(":1:8: smpp is of type integer, expected a table"));
}

TEST_CASE("what is not TOML is named by its place, a missing file by its path") {
  CHECK(error_of("data_directory = \n").starts_with(":1:"));
  CHECK_THROWS_WITH_AS(load_config("/nonexistent/gateway.toml"), doctest::Contains("/nonexistent/gateway.toml"),
                       ConfigError);
}

TEST_CASE("the example is valid") {
  const GatewayConfig config =
      load_config(std::filesystem::path(BOBBIN_SOURCE_ROOT) / "tools/gateway/gateway.example.toml");
  CHECK(config.smpp);
  CHECK(config.http);
}

TEST_CASE("durations") {
  CHECK(parse_duration("250ms") == milliseconds(250));
  CHECK(parse_duration("5s") == milliseconds(5'000));
  CHECK(parse_duration("2m") == milliseconds(120'000));
  CHECK(parse_duration("1h") == milliseconds(3'600'000));
  CHECK(parse_duration("1d") == milliseconds(86'400'000));
  for (const auto* text : {"", "5", "s", "-5s", "5 s", "5.5s", "5sec", "99999999999999999999s", "1000000001s"}) {
    CHECK_FALSE(parse_duration(text));
  }
}

}  // namespace
}  // namespace bobbin::gateway
