#include "tests/support/manual_executor.hpp"

namespace bobbin::testing {

bool ManualExecutor::run(Lane lane) {
  if (!work_ || !woken_[index(lane)].exchange(false)) return false;
  work_(lane);
  return true;
}

bool ManualExecutor::run_one() {
  if (!work_) return false;
  std::array<Lane, 3> woken{};
  std::size_t count = 0;
  for (const auto lane : {Lane::orchestrator, Lane::writer, Lane::completion})
    if (woken_[index(lane)]) woken[count++] = lane;
  return count > 0 && run(woken[random_() % count]);
}

}  // namespace bobbin::testing
