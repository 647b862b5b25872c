// Opt-in: the engine's log lines through a host's spdlog logger, and a logger for orchestrators that keeps quiet while
// recorded turns are repeated. A host that includes it links spdlog itself.
#pragma once

#include <bobbin/context.hpp>
#include <bobbin/options.hpp>

#include <spdlog/logger.h>

#include <memory>
#include <utility>

namespace bobbin {

// For EngineOptions::log.
inline std::function<void(LogLevel, const std::string&)> log_to(std::shared_ptr<spdlog::logger> logger) {
  return [logger = std::move(logger)](LogLevel level, const std::string& line) {
    switch (level) {
      case LogLevel::debug:
        return logger->debug("engine: {}", line);
      case LogLevel::info:
        return logger->info("engine: {}", line);
      case LogLevel::warning:
        return logger->warn("engine: {}", line);
      case LogLevel::error:
        return logger->error("engine: {}", line);
    }
  };
}

// Logs once for each turn that really happens, and nothing when it is replayed.
template <class... Args>
void log_once(const Context& ctx, spdlog::logger& logger, spdlog::level::level_enum level,
              spdlog::format_string_t<Args...> format, Args&&... args) {
  if (!ctx.replaying()) logger.log(level, format, std::forward<Args>(args)...);
}

}  // namespace bobbin
