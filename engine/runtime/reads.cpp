#include "engine/runtime/reads.hpp"

#include <algorithm>
#include <map>

namespace bobbin {

namespace {
constexpr std::size_t page_max = 1'000;
constexpr std::size_t waiters_looked_at_min = 1'024;
}  // namespace

InstanceStatus Reads::status_of(const InstanceState& state) {
  InstanceStatus status{state, nullptr};
  if (state.end_record == 0) return status;
  const auto record = core_.log.fetch(state.end_record);
  const auto* turn = record ? std::get_if<TurnBody>(&record->body) : nullptr;
  if (turn && turn->end) status.result = turn->end->result;
  return status;
}

template <class T, class Read>
Result<T> Reads::result_of(Read read) {
  Result<T> result;
  try {
    result.value = read();
  } catch (const Error& error) {
    if (!is_refusal(error)) throw;
    if (is_damaged_record(error)) core_.say_damage("a call is refused", error.what());
    result.error = error.info();
  }
  return result;
}

void Reads::status(StatusRequest& request) {
  Instance* live = nullptr;
  auto result = result_of<InstanceStatus>([&] {
    auto* instance = core_.overlay.find(request.id);
    if (!instance || instance->state.unknown()) throw NotFound("nothing was ever accepted for this instance");
    if (request.until_ended && instance->state.live()) {
      live = instance;
      return InstanceStatus{};
    }
    return status_of(instance->state);
  });
  if (live) return wait_for_end(*live, std::move(request.reply));
  core_.log.answer(std::move(request.reply), std::move(result));
}

// Who waits is bounded as requests are (S25); a blocked caller is a thread of the host and bounds itself.
void Reads::wait_for_end(Instance& instance, Reply<InstanceStatus> reply) {
  if (waiters_ >= look_for_forsaken_at_) let_go_of_forsaken();
  if (waiters_ >= core_.options.inbox_requests && !reply.direct()) {
    core_.counters.refused.add();
    const auto error = Overloaded(std::to_string(waiters_) +
                                  " calls wait for ends of runs already: ask for the status, or repeat the call later");
    return core_.log.answer(std::move(reply), Result<InstanceStatus>{error.info(), {}});
  }
  instance.end_waiters.push_back(std::move(reply));
  ++waiters_;
}

// Now and then: the number doubles before it looks again.
void Reads::let_go_of_forsaken() {
  core_.overlay.for_each([this](Instance& instance) {
    const auto gone = std::erase_if(instance.end_waiters, [](const auto& reply) { return reply.forsaken(); });
    if (gone != 0) core_.overlay.release(instance);
    waiters_ -= gone;
  });
  look_for_forsaken_at_ = std::max(waiters_looked_at_min, 2 * waiters_);
}

void Reads::answer_waiters(Instance& instance) {
  if (instance.end_waiters.empty() || instance.state.live()) return;
  const auto result = result_of<InstanceStatus>([&] { return status_of(instance.state); });
  waiters_ -= instance.end_waiters.size();
  for (auto& reply : std::exchange(instance.end_waiters, {}))
    core_.log.answer(std::move(reply), Result<InstanceStatus>(result));
  core_.overlay.release(instance);
}

void Reads::list(ListRequest& request) {
  core_.log.answer(std::move(request.reply),
                   result_of<std::vector<InstanceState>>([&] { return page_of(request.query); }));
}

// The store's rows, with those in memory put over them, until the page is full.
std::vector<InstanceState> Reads::page_of(const ListQuery& query) {
  const auto limit = std::clamp<std::size_t>(query.limit, 1, page_max);
  std::vector<InstanceState> page;
  auto after = query.after;
  for (bool more = true; more && page.size() < limit;) {
    std::map<InstanceId, InstanceState> rows;
    for (auto& row : core_.store.snapshot()->instances(after, limit)) rows.insert_or_assign(row.id, std::move(row));
    more = rows.size() == limit;
    const auto last = rows.empty() ? InstanceId{} : rows.rbegin()->first;
    core_.overlay.for_each([&](Instance& instance) {
      const auto& id = instance.state.id;
      if ((!after || id > *after) && (!more || id <= last)) rows.insert_or_assign(id, instance.state);
    });
    for (auto& [id, row] : rows)
      if (!row.unknown() && page.size() < limit) page.push_back(std::move(row));
    after = last;
  }
  return page;
}

void Reads::ledgers(LedgersRequest& request) {
  Result<std::vector<Ledger>> result;
  for (const auto& [name, ledger] : core_.overlay.ledgers()) result.value.push_back(ledger);
  core_.log.answer(std::move(request.reply), std::move(result));
}

void Reads::dead_letters(DeadLettersRequest& request) {
  core_.log.answer(std::move(request.reply),
                   result_of<std::vector<DeadLetter>>([&] { return letters_of(request.after, request.limit); }));
}

std::vector<DeadLetter> Reads::letters_of(Position after, std::size_t limit) {
  limit = std::clamp<std::size_t>(limit, 1, page_max);
  std::map<Position, DeadLetter> rows;
  for (auto& row : core_.store.snapshot()->dead_letters(after, limit)) rows[row.position] = std::move(row);
  for (const auto& [position, letter] : core_.overlay.dead_letters())
    if (position > after && letter.lsn != 0) rows[position] = letter;
  std::vector<DeadLetter> page;
  for (auto& [position, letter] : rows)
    if (page.size() < limit) page.push_back(std::move(letter));
  return page;
}

}  // namespace bobbin
