#include "engine/runtime/reads.hpp"

#include <algorithm>
#include <map>

namespace bobbin {

namespace {
constexpr std::size_t page_max = 1'000;
}

InstanceStatus Reads::status_of(const InstanceState& state) {
  InstanceStatus status{state, nullptr};
  if (state.end_record == 0) return status;
  const auto record = core_.log.fetch(state.end_record);
  const auto* turn = record ? std::get_if<TurnBody>(&record->body) : nullptr;
  if (turn && turn->end) status.result = turn->end->result;
  return status;
}

void Reads::status(StatusRequest& request) {
  Result<InstanceStatus> result;
  auto* instance = core_.overlay.find(request.id);
  if (!instance || instance->state.unknown()) {
    result.error = NotFound("nothing was ever accepted for this instance").info();
  } else if (request.until_ended && instance->state.live()) {
    std::erase_if(instance->end_waiters, [](const auto& reply) { return reply.forsaken(); });
    instance->end_waiters.push_back(std::move(request.reply));
    return;
  } else {
    result.value = status_of(instance->state);
  }
  core_.log.answer(std::move(request.reply), std::move(result));
}

void Reads::answer_waiters(Instance& instance) {
  if (instance.end_waiters.empty() || instance.state.live()) return;
  const auto status = status_of(instance.state);
  for (auto& reply : std::exchange(instance.end_waiters, {}))
    core_.log.answer(std::move(reply), Result<InstanceStatus>{{}, status});
  core_.overlay.release(instance);
}

// The store's rows, with those in memory put over them.
void Reads::list(ListRequest& request) {
  const auto limit = std::clamp<std::size_t>(request.query.limit, 1, page_max);
  std::map<InstanceId, InstanceState> page;
  for (auto& row : core_.store.snapshot()->instances(request.query.after, limit))
    page.insert_or_assign(row.id, std::move(row));
  const bool more_stored = page.size() == limit;
  const auto last_stored = page.empty() ? InstanceId{} : page.rbegin()->first;
  core_.overlay.for_each([&](Instance& instance) {
    const auto& id = instance.state.id;
    const bool within = (!request.query.after || id > *request.query.after) && (!more_stored || id <= last_stored);
    if (within && instance.state.lsn != 0) page.insert_or_assign(id, instance.state);
  });
  Result<std::vector<InstanceState>> result;
  for (auto& [id, row] : page)
    if (!row.unknown() && result.value.size() < limit) result.value.push_back(std::move(row));
  core_.log.answer(std::move(request.reply), std::move(result));
}

void Reads::ledgers(LedgersRequest& request) {
  Result<std::vector<Ledger>> result;
  for (const auto& [name, ledger] : core_.overlay.ledgers()) result.value.push_back(ledger);
  core_.log.answer(std::move(request.reply), std::move(result));
}

void Reads::dead_letters(DeadLettersRequest& request) {
  const auto limit = std::clamp<std::size_t>(request.limit, 1, page_max);
  std::map<Position, DeadLetter> page;
  for (auto& row : core_.store.snapshot()->dead_letters(request.after, limit)) page[row.position] = std::move(row);
  for (const auto& [position, letter] : core_.overlay.dead_letters())
    if (position > request.after && letter.lsn != 0) page[position] = letter;
  Result<std::vector<DeadLetter>> result;
  for (auto& [position, letter] : page)
    if (result.value.size() < limit) result.value.push_back(std::move(letter));
  core_.log.answer(std::move(request.reply), std::move(result));
}

}  // namespace bobbin
