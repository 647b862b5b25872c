#include <bobbin/error.hpp>
#include <bobbin/registry.hpp>

namespace bobbin {

namespace {
template <class Code>
const Code* find(const std::map<std::string, Code>& codes, const std::string& name) {
  const auto at = codes.find(name);
  return at == codes.end() ? nullptr : &at->second;
}
}  // namespace

const OrchestratorCode* Registry::find_orchestrator(const std::string& name) const {
  return find(orchestrators_, name);
}
const ActivityCode* Registry::find_activity(const std::string& name) const { return find(activities_, name); }

void Registry::check_name(const std::string& name, bool taken) {
  check_size("a registered name", name);
  if (taken) throw InvalidArgument("'" + name + "' is registered already");
}

}  // namespace bobbin
