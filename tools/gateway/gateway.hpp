// The gateway: an engine, its ways in and its way out, put together from a configuration.
#pragma once

#include "tools/gateway/config.hpp"
#include "tools/http/post.hpp"

#include <bobbin/lmdb.hpp>

#include <filesystem>
#include <functional>
#include <memory>

namespace spdlog {
class logger;
}

namespace bobbin::gateway {

// Opens the log; open_lmdb, or what decorates it.
using StoreOpener = std::function<std::unique_ptr<Store>(const std::filesystem::path&, const LmdbOptions&)>;

// Runs the gateway until SIGTERM or SIGINT, then drains, and returns 0; returns 3 when the engine has failed, which the
// log explains. Throws what opening the log throws, and std::system_error for an address that cannot be listened on.
int run_gateway(const GatewayConfig& config, const http::CurlGlobal& curl, std::shared_ptr<spdlog::logger> log,
                const StoreOpener& open_store);

}  // namespace bobbin::gateway
