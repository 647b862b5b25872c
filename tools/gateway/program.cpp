#include "tools/gateway/program.hpp"

#include "tools/gateway/config.hpp"

#include <bobbin/error.hpp>

#include <CLI/CLI.hpp>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <exception>
#include <string>

namespace bobbin::gateway {

namespace {

constexpr int exit_config = 2;
constexpr int exit_error = 1;

std::shared_ptr<spdlog::logger> make_log(const std::string& level) {
  auto log = std::make_shared<spdlog::logger>("gateway", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  log->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
  log->set_level(spdlog::level::from_str(level));
  log->flush_on(spdlog::level::info);
  return log;
}

}  // namespace

int run_program(int argc, char** argv, const StoreOpener& open_store) {
  CLI::App app("Takes SMS by SMPP and HTTP and delivers one batch per conversation and window.");
  std::string path;
  bool check_only = false;
  app.add_option("CONFIG", path, "the configuration file (see gateway.example.toml)")->required();
  app.add_flag("--check", check_only, "read the configuration, say whether it is right, and end");
  CLI11_PARSE(app, argc, argv);
  try {
    const auto config = load_config(path);
    if (check_only) return 0;
    const auto log = make_log(config.log_level);
    const http::CurlGlobal curl;
    return run_gateway(config, curl, log, open_store);
  } catch (const ConfigError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return exit_config;
  } catch (const Error& error) {
    std::fprintf(stderr, "bobbin-gateway: %s: %s\n", to_string(error.code()), error.what());
    return exit_error;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bobbin-gateway: %s\n", error.what());
    return exit_error;
  }
}

}  // namespace bobbin::gateway
