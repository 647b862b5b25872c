// A child of this very process, without a new program: what it inherits is what is tested.
#pragma once

#include <functional>
#include <string>

namespace bobbin::test {

struct ChildEnd {
  int signal = 0;    // that it died of; 0: of none
  std::string said;  // what `act` returned, or "<error code>: <message>"
};

// Runs `act` in a forked child, which then ends without destroying anything of its parent's.
ChildEnd in_child(const std::function<std::string()>& act);

}  // namespace bobbin::test
