#include "tests/sim/executor.hpp"

namespace bobbin::sim {

bool SimExecutor::run_one(Random& random) {
  if (!work_) return false;
  std::array<Lane, 3> ready{};
  std::size_t count = 0;
  for (const auto lane : {Lane::orchestrator, Lane::writer, Lane::completion})
    if (woken_[index(lane)] && !(lane == Lane::writer && writer_held())) ready[count++] = lane;
  if (count == 0) return false;
  const auto lane = ready[count == 1 ? 0 : random.below(count)];
  woken_[index(lane)] = false;
  if (lane == Lane::orchestrator) wakes_at_.reset();
  work_(lane);
  return true;
}

void SimExecutor::drive_until(const std::function<bool()>& done) {
  Random random(1);
  writer_held_until_ = Duration{};
  while (!done()) {
    wake(Lane::orchestrator);
    while (run_one(random)) {
    }
  }
}

std::optional<Duration> SimExecutor::next() const {
  auto at = wakes_at_;
  if (writer_held() && (!at || writer_held_until_ < *at)) at = writer_held_until_;
  return at;
}

}  // namespace bobbin::sim
