#include "tools/drill/child_environment.hpp"

#include <cstdlib>

namespace bobbin::drill {

namespace {

constexpr auto preload_variable = "LD_PRELOAD";

}  // namespace

Variable preloaded(const std::filesystem::path& library) {
  const char* others = std::getenv(preload_variable);
  return {preload_variable, others ? std::string(others) + ":" + library.string() : library.string()};
}

ChildEnvironment::ChildEnvironment(std::vector<Variable> variables) {
  for (const auto& [name, value] : variables) {
    const char* now = std::getenv(name.c_str());
    before_.push_back({name, now ? std::optional<std::string>(now) : std::nullopt});
    ::setenv(name.c_str(), value.c_str(), 1);
  }
}

ChildEnvironment::~ChildEnvironment() {
  for (const auto& [name, value] : before_) {
    if (value)
      ::setenv(name.c_str(), value->c_str(), 1);
    else
      ::unsetenv(name.c_str());
  }
}

}  // namespace bobbin::drill
