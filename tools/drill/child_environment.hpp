// Environment variables for the processes that are started while it lives.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace bobbin::drill {

struct Variable {
  std::string name;
  std::string value;
};

// The library goes before their C library, and behind what goes before this process's own.
Variable preloaded(const std::filesystem::path& library);

// Of this process, too, until it is gone and everything is as before: one thread at a time.
class ChildEnvironment {
 public:
  explicit ChildEnvironment(std::vector<Variable> variables);
  ~ChildEnvironment();
  ChildEnvironment(const ChildEnvironment&) = delete;
  ChildEnvironment& operator=(const ChildEnvironment&) = delete;

 private:
  struct Before {
    std::string name;
    std::optional<std::string> value;
  };
  std::vector<Before> before_;
};

}  // namespace bobbin::drill
