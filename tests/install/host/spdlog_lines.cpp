// A host that hands its logger over.
#include <bobbin/spdlog.hpp>

#include <spdlog/sinks/ostream_sink.h>

#include <iostream>

int main() {
  const auto sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(std::cout);
  sink->set_pattern("%v");
  const auto log = bobbin::log_to(std::make_shared<spdlog::logger>("host", sink));
  log(bobbin::LogLevel::info, "ready");
}
