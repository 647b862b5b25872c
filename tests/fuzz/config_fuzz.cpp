// The configuration file: refused with its name and a reason, or accepted within the ranges that the gateway relies on.
#include "tests/fuzz/input.hpp"
#include "tools/gateway/config.hpp"

#include <sys/mman.h>
#include <unistd.h>

using namespace bobbin::gateway;
using bobbin::fuzz::require;

namespace {

// A file without a name, filled anew for each input.
class File {
 public:
  File() : descriptor_(::memfd_create("config", 0)) { require(descriptor_ >= 0, "there is a file to write to"); }
  void fill(const std::uint8_t* data, std::size_t size) {
    require(::ftruncate(descriptor_, 0) == 0 && ::pwrite(descriptor_, data, size, 0) == static_cast<ssize_t>(size),
            "the file takes the input");
  }
  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

void check_accepted(const GatewayConfig& config) {
  require(config.smpp || config.http, "there is a way in");
  require(!config.smpp || !config.smpp->accounts.empty(), "SMPP has an account");
  require(!config.http || !config.http->clients.empty(), "HTTP has a client");
  require(config.delivery.secret.size() >= 16 && config.admin.token.size() >= 16, "secrets are not short");
  require(config.delivery.retry.factor >= 1 && config.delivery.retry.factor <= 100, "the factor is in its range");
  require(config.delivery.retry.jitter >= 0 && config.delivery.retry.jitter <= 1, "the jitter is in its range");
  require(config.delivery.retry.cap >= config.delivery.retry.first_delay, "the cap is above the first delay");
  require(config.window.length.count() >= 1 && config.window.messages_max >= 1, "a window can be filled");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static File file;
  file.fill(data, size);
  try {
    check_accepted(load_config(file.path()));
  } catch (const ConfigError& error) {
    require(std::string_view(error.what()).starts_with(file.path() + ":"), "an error begins with its place");
  }
  return 0;
}
